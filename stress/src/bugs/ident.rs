//! What a bug's file says about a version: whether it has the fix.

/// `3.13.5` as numbers, with pre-releases before the release; `None` for other words.
pub(crate) fn version(word: &str) -> Option<(u32, u32, u32, u32)> {
    let mut parts = word.split('.');
    let (major, minor) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let patch = parts.next().unwrap_or("0");
    let digits: String = patch.chars().take_while(char::is_ascii_digit).collect();
    let (rest, last) = (&patch[digits.len()..], digits.parse().ok()?);
    let stage = match rest.chars().next() {
        None => 999,
        Some('a') => 100,
        Some('b') => 200,
        Some('r') => 300,
        // "3.14.x" and the like name no release.
        _ => return None,
    };
    Some((major, minor, last, stage))
}

/// Whether releases that first have a fix, each of its own series, cover this version: one of its own series
/// that is not after it, or, where none is of its series, one of an earlier series. A fix only in a later
/// series does not count.
pub fn fixed_in(releases: &[String], running: &str) -> bool {
    let Some(here) = version(running) else {
        return false;
    };
    let all: Vec<_> = releases.iter().filter_map(|r| version(r)).collect();
    let own: Vec<_> = all
        .iter()
        .filter(|v| (v.0, v.1) == (here.0, here.1))
        .collect();
    if own.is_empty() {
        all.iter().any(|v| (v.0, v.1) < (here.0, here.1))
    } else {
        own.iter().any(|v| **v <= here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_counts_from_its_release_on() {
        let fixed = |releases: &[&str], running| {
            let releases: Vec<String> = releases.iter().map(|&r| r.to_owned()).collect();
            fixed_in(&releases, running)
        };
        assert!(fixed(&["3.13.4", "3.14.0b2"], "3.13.5"));
        assert!(!fixed(&["3.13.10", "3.14.1"], "3.13.5"));
        assert!(fixed(&["3.13.10", "3.14.1"], "3.13.15"));
        assert!(!fixed(&["3.14.0a6"], "3.13.15"));
        assert!(fixed(&["3.14.0a6"], "3.14.10"));
        assert!(fixed(&["3.13.0rc2"], "3.13.5"));
        assert!(!fixed(&[], "3.13.5"));
        assert!(!fixed(&["3.13"], "unknown"));
    }

    #[test]
    fn a_version_is_a_release_and_nothing_else() {
        assert!(version("3.14.0a1") < version("3.14.0rc2"));
        assert!(version("3.14.0rc2") < version("3.14"));
        for word in ["3.14.x", "2026-08", "any", "3", "#8514"] {
            assert_eq!(version(word), None, "{word}");
        }
    }
}
