//! The account of a customer and a journey, for a terminal.

use std::fmt::Write as _;

use serde_json::Value;

/// Longer conditions do not push the values of others away.
const TEXT_MAX: usize = 60;

/// Writes an account as the server gives it.
pub fn shown(account: &Value) -> String {
    let mut page = Page(String::new());
    let of = Object(account);
    let (text, place) = (of.text("text"), of.text("place"));
    let revision = account["revision"].as_u64().filter(|number| *number > 0);
    let revision = revision.map_or(String::new(), |number| format!("policy rev {number}  "));
    page.line(&format!("{text}  {revision}{place}"));
    if !account["last"].is_null() {
        let last = Object(&account["last"]);
        page.line(&format!(
            "  last: {}  {}",
            last.text("at"),
            last.text("text")
        ));
    }
    for line in basis(account) {
        page.line(&line);
    }
    for run in of.list("runs") {
        page.run(&Object(run));
    }
    page.entry(&of);
    for send in of.list("sends") {
        let send = Object(send);
        let (channel, template) = (send.text("channel"), send.text("template"));
        let what = format!(
            "A send of `{template}` by {channel}, if it left at {}",
            of.text("at")
        );
        page.line("");
        page.line(&format!("{what}  {}", send.text("place")));
        page.conditions(send.list("guards"));
        match send.text("remedy") {
            "" => {}
            remedy => page.line(&format!("Would leave if {remedy}.")),
        }
    }
    page.0
}

/// Says what an account of the past rests on, line by line.
pub fn basis(account: &Value) -> Vec<String> {
    let basis = &account["basis"];
    if basis["what"] != "replay" {
        return Vec::new();
    }
    let (n, at) = (&basis["n_events"], Object(account).text("at"));
    let by = policies(basis);
    let mut lines = vec![format!(
        "  {n} events of the stream played again up to {at}, {by} and without decide calls"
    )];
    if basis["policies_complete"] == Value::Bool(false) {
        let line = "  not exact: of the policies, earlier revisions are not kept or cannot be read any more";
        lines.push(line.into());
    }
    if basis["complete"] == Value::Bool(false) {
        let line = "  not exact: the stream does not hold everything that came before any more";
        lines.push(line.into());
    }
    if basis["agrees"] == Value::Bool(false) {
        let line = "  not exact: the timeline says another thing of the last decision up to then";
        lines.push(line.into());
    }
    lines
}

/// A JSON object of the server's.
struct Object<'a>(&'a Value);

impl<'a> Object<'a> {
    fn text(&self, key: &str) -> &'a str {
        self.0[key].as_str().unwrap_or_default()
    }

    fn list(&self, key: &str) -> &'a [Value] {
        self.0[key].as_array().map_or(&[], Vec::as_slice)
    }
}

/// Says by which policies the past was played.
fn policies(basis: &Value) -> String {
    let reigns = basis["policies"].as_array().map_or(&[][..], Vec::as_slice);
    if let [only] = reigns
        && only["since"].is_null()
    {
        return "by the live policies".into();
    }
    let since = |of: &Value| match of["since"].as_str() {
        Some(since) => format!("{} (since {since})", of["revision"]),
        None => of["revision"].to_string(),
    };
    let all: Vec<String> = reigns.iter().map(since).collect();
    let revisions = if all.len() == 1 {
        "revision"
    } else {
        "revisions"
    };
    format!(
        "by {revisions} {} of the policies, with the models of today",
        all.join(", ")
    )
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        // INVARIANT: writing to a string does not fail.
        let _ = writeln!(self.0, "{}", text.trim_end());
    }

    fn run(&mut self, run: &Object<'_>) {
        self.line("");
        let (step, does) = (run.text("step"), run.text("does"));
        let is_shadow = run.0["shadow"] == Value::Bool(true);
        let shadow = if is_shadow { " (shadow)" } else { "" };
        let (number, since) = (&run.0["instance"], run.text("entered_at"));
        let key = match run.text("key") {
            "" => String::new(),
            key => format!(" ({key})"),
        };
        self.line(&format!(
            "Run {number}{key}{shadow}, in since {since}, is at step {step}  {}",
            run.text("place")
        ));
        self.line(&format!("  {does}"));
        if !run.0["waits_until"].is_null() {
            let (since, until) = (run.text("waits_since"), run.text("waits_until"));
            self.line(&format!("  waits since {since}, until {until}"));
        }
        let listens: Vec<&str> = run
            .list("listens")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if !listens.is_empty() {
            self.line(&format!("  listens to {}", listens.join(", ")));
        }
        self.conditions(run.list("ends"));
    }

    fn entry(&mut self, of: &Object<'_>) {
        let event = Object(&of.0["event"]);
        let replayed = of.0["basis"]["what"] == "replay";
        let at = event.text("handled_at");
        let past = !at.is_empty() && (replayed || at != of.text("at"));
        let title = match event.text("name") {
            "" => format!("An entry at {}", of.text("at")),
            name => format!("An entry by {name} ({}) at {at}", event.text("id")),
        };
        let whose = if past && !replayed {
            ", by the customer as they are now"
        } else {
            ""
        };
        self.line("");
        self.line(&format!("{title}{whose}"));
        self.conditions(of.list("entry"));
        let mut entry = of.list("entry").iter().map(Object);
        let by_event = entry.clone().any(|of| of.text("part") == "enter.event");
        let first = entry.find(|of| of.text("mark") == "missed");
        let place = first.map_or("", |of| of.text("place"));
        let would = if past {
            "Would have entered"
        } else {
            "Would enter"
        };
        let said = match (of.text("verdict"), of.text("remedy")) {
            ("open", _) if !by_event => "Enters when that comes, as far as can be told.".into(),
            ("open", _) if replayed => "No event had come by then that could enter.".to_owned(),
            ("open", _) => {
                "Whether it would enter depends on the event: give one by --event.".into()
            }
            ("enters", _) if replayed => "Entered.".into(),
            ("enters", _) if past => "What kept it out then does so no more.".into(),
            ("enters", _) => "Would enter.".into(),
            ("repeats", _) => "The run that is in progress takes it.".into(),
            (_, "") => format!("Nothing would help.  {place}"),
            (_, remedy) => format!("{would} if {remedy}.  {place}"),
        };
        self.line(&said);
    }

    /// Writes conditions in columns; the first that is missed is what decides.
    fn conditions(&mut self, all: &[Value]) {
        let width = |key: &str, most: usize| {
            let lengths = all.iter().map(|of| Object(of).text(key).chars().count());
            lengths.filter(|length| *length <= most).max().unwrap_or(0)
        };
        let (parts, texts) = (width("part", usize::MAX), width("text", TEXT_MAX));
        let mut blocked = false;
        for of in all.iter().map(Object) {
            let mark = match of.text("mark") {
                "met" => "✓",
                "missed" => "✗",
                _ => "·",
            };
            let decides = mark == "✗" && !of.0["reason"].is_null() && !blocked;
            blocked |= decides;
            let end = match (mark, decides) {
                ("✗", true) => format!("   ← blocked here  {}", of.text("place")),
                ("✗", false) => format!("   {}", of.text("place")),
                _ => String::new(),
            };
            let (part, text, values) = (of.text("part"), of.text("text"), of.text("values"));
            self.line(&format!(
                "  {mark} {part:parts$}  {text:texts$}  {values}{end}"
            ));
        }
    }
}
