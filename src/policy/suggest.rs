//! "Did you mean": the nearest of the words that would have been right.

/// Returns the known word that is nearest to what was written, if one is near enough to be a slip.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let n_letters = written.chars().count();
    // One edit turns any word of two letters into half of the others.
    let reach = if n_letters < 3 {
        0
    } else {
        (n_letters / 3).max(1)
    };
    known
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(|word| (distance(written, word), word))
        .filter(|(distance, _)| *distance <= reach)
        .min()
        .map(|(_, word)| word)
}

/// Returns `, did you mean ...?` or nothing, to end a message with.
pub fn hint<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, known)
        .map(|word| format!(", did you mean `{word}`?"))
        .unwrap_or_default()
}

/// Tells if what was written is so near to a known word that it must be a slip: another case, one letter, or two
/// letters of a long word.
pub fn is_slip(written: &str, known: &str) -> bool {
    let n_letters = written.chars().count();
    let n_known = known.chars().count();
    if n_letters.abs_diff(n_known) > 2 {
        return false;
    }
    let reach = match n_letters.min(n_known) {
        0..=3 => 0,
        4 => usize::from(n_known > 4),
        5..=9 => 1,
        10.. => 2,
    };
    written != known && distance(written, known) <= reach
}

/// Counts the single-letter edits between two words; a swap of neighbors is one, case is none.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(80).flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().take(80).flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let swap = last[j] + usize::from(from != to);
            let mut cost = swap.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
