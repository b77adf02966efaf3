//! Whatever a policy file holds, `attune check` answers soon and within little memory.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// The address space that a check gets, in KB: the program and ONNX Runtime need most of it.
const MEMORY_KB: u32 = 1_000_000;
/// Far more than it needs on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(20);
const MEGABYTE: usize = 1 << 20;

#[test]
fn files_that_want_too_much_are_refused_soon_and_within_bounds() {
    let journey = |steps: &str| format!("journey: j\nenter: {{ event: A }}\nsteps:\n{steps}");
    let when = |condition: &str| format!("segments: {{ s: \"{condition}\" }}");
    let aliases: String = (1..40).fold("a0: &a0 [x, x, x, x, x, x, x, x]\n".into(), |text, n| {
        let last = n - 1;
        let eight = vec![format!("*a{last}"); 8].join(", ");
        text + &format!("a{n}: &a{n} [{eight}]\n")
    });
    let nested = (0..9).fold("x.a > 1".to_owned(), |inner, _| {
        format!("profile.cart.items.exists(x, {inner})")
    });
    let nested_steps: String = (0..400).fold(String::new(), |text, depth| {
        let indent = "  ".repeat(depth * 3);
        text + &format!("{indent}- branch:\n{indent}    - when: 'true'\n{indent}      then:\n")
    });
    let cases = [
        ("aliases that multiply", aliases),
        ("brackets that never close", "[".repeat(MEGABYTE)),
        ("maps in maps", "{a: ".repeat(MEGABYTE / 4)),
        ("indents", (0..1_400).fold(String::new(), |text, n| text + &" ".repeat(n) + "a:\n")),
        ("a text of a megabyte", format!("journey: {}", "j".repeat(MEGABYTE - 9))),
        ("too many bytes", "a: 1\n".repeat(MEGABYTE)),
        ("documents", "---\na: 1\n".repeat(MEGABYTE / 9)),
        ("keys", (0..80_000).fold(String::new(), |text, n| text + &format!("k{n}: 1\n"))),
        ("steps", journey(&"  - wait: 1h\n".repeat(70_000))),
        ("steps in steps", journey(&nested_steps)),
        ("an endless condition", when(&"true && ".repeat(100_000))),
        ("parentheses", when(&"(".repeat(900_000))),
        ("negations", when(&"!".repeat(900_000))),
        ("nested comprehensions", when(&nested)),
        ("a pattern that grows", when("profile.id.matches('(((a{99}){99}){99}){99}')")),
        ("many patterns", (0..6_000).fold("segments:\n".into(), |text, n| {
            text + &format!("  s{n}: \"profile.id.matches('[a-z]{{{}}}.*{n}')\"\n", n % 90 + 1)
        })),
        ("a list of schedules", (0..9_000).fold(String::new(), |text, n| {
            text + &format!("---\njourney: j{n}\nenter: {{ schedule: {{ cron: '* * 30 2 *' }} }}\nsteps: [stop]\n")
        })),
        ("nothing but zeros", "\0".repeat(MEGABYTE)),
    ];
    let dir = tempfile::tempdir().unwrap();
    let right = journey("  - wait: 1h\n  - send: { channel: email, template: t }\n");
    let fine = check(dir.path(), "right", &right);
    assert_eq!(fine.status.code(), Some(0), "{fine:?}");
    for (name, text) in cases {
        let start = Instant::now();
        let output = check(dir.path(), name, &text);
        let took = start.elapsed();
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        // Killed for want of memory it would have no code.
        let short: String = said.chars().take(2_000).collect();
        assert_eq!(output.status.code(), Some(1), "{name}: {short}");
        assert!(said.contains("attune::"), "{name}: {short}");
        assert!(said.len() < 100_000, "{name}: {} bytes", said.len());
        assert!(took < TIME_MAX, "{name}: {took:?}");
    }
}

fn check(dir: &Path, name: &str, text: &str) -> Output {
    let file = dir.join(format!("{}.yaml", name.replace(' ', "-")));
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new("sh");
    let limited = format!("ulimit -v {MEMORY_KB}; exec \"$0\" check \"$1\"");
    command
        .args(["-c", &limited, env!("CARGO_BIN_EXE_attune")])
        .arg(&file);
    command.env("NO_COLOR", "1").output().unwrap()
}
