//! Reports in the form of `JUnit`, which most servers that build and test can show.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::cli::test::shown;
use crate::cli::test::suite::Report;
use crate::policy::Bundle;

/// Writes reports as XML: a suite a file, a case a test.
pub fn junit(bundle: &Bundle, reports: &[Report<'_>]) -> String {
    let mut files: BTreeMap<&str, Vec<&Report<'_>>> = BTreeMap::new();
    for report in reports {
        let file = report.test.place.file.as_ref();
        files.entry(file).or_default().push(report);
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (file, reports) in files {
        let n_failed = reports.iter().filter(|report| !report.holds()).count();
        // INVARIANT: writing to a string does not fail.
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{n_failed}\" time=\"{:.6}\">",
            escaped(file),
            reports.len(),
            reports.iter().map(|it| it.took.as_secs_f64()).sum::<f64>(),
        );
        for report in reports {
            case(&mut out, bundle, report);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(out: &mut String, bundle: &Bundle, report: &Report<'_>) {
    let of = report.test;
    let journey = of.journey.as_deref().unwrap_or("policies");
    let _ = write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{:.6}\"",
        escaped(journey),
        escaped(&of.name),
        escaped(&of.place.file),
        of.place.line,
        report.took.as_secs_f64(),
    );
    let Some(first) = report.failures.first() else {
        out.push_str("/>\n");
        return;
    };
    let message = format!("{}: {}", first.check.place, shown::difference(first));
    let _ = writeln!(
        out,
        ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
        escaped(&message),
        escaped(&shown::failed(bundle, report)),
    );
}

/// Escapes a text for XML, where most control characters cannot stand at all.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}
