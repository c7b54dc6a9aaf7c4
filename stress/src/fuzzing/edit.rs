//! Texts that bytes make out of real ones.

/// A text made from bytes: one of `texts`, edited piece by piece with `words` put in between, or the
/// bytes themselves.
pub(super) fn edited(bytes: &[u8], texts: &[&str], words: &[&str]) -> String {
    let Some((&first, mut rest)) = bytes.split_first() else {
        return String::new();
    };
    if first >= 248 {
        return String::from_utf8_lossy(rest).into_owned();
    }
    let mut pieces: Vec<&str> = texts[usize::from(first) % texts.len()]
        .split_inclusive(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    while let [what, place, word, more @ ..] = rest {
        rest = more;
        let len = pieces.len();
        let at = (usize::from(*place) << 8 | usize::from(*word)) % (len + 1);
        let from = usize::from(*word) % len.max(1);
        match what % 5 {
            0 if at < len => drop(pieces.remove(at)),
            1 if at < len && len < 4000 => {
                // A piece again: what nests or repeats grows fast.
                let end = (at + 1 + usize::from(what / 5)).min(len);
                let again = pieces[at..end].to_vec();
                pieces.splice(at..at, again);
            }
            2 if at < len => pieces.swap(at, from),
            3 if at < len => pieces[at] = words[usize::from(*word) % words.len()],
            _ => pieces.insert(at, words[usize::from(*what / 5) % words.len()]),
        }
    }
    pieces.concat()
}
