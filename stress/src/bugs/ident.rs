//! What a bug's file says about a version: fixed there, or not yet there.

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

/// Versions named in a text such as `3.13.4, 3.14.0b2`.
fn named(text: &str) -> Vec<(u32, u32, u32, u32)> {
    text.split(|c: char| c.is_whitespace() || ",;:()".contains(c))
        .filter_map(version)
        .collect()
}

/// Whether the text of `fixed` covers this version: a fix in its own series not after it, or
/// a first fix in an earlier series. A fix only in a later series does not count.
pub fn fixed_in(fixed: &str, running: &str) -> bool {
    let Some(here) = version(running) else {
        return false;
    };
    let all = named(fixed);
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

/// Whether `affected` begins with a series later than this version: the code is newer.
pub fn newer_than(affected: &str, running: &str) -> bool {
    let (Some(here), Some(first)) = (
        version(running),
        affected.split([' ', ',']).next().and_then(version),
    ) else {
        return false;
    };
    (first.0, first.1) > (here.0, here.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fix_counts_from_its_release_on() {
        assert!(fixed_in("3.13.4, 3.14.0b2", "3.13.5"));
        assert!(!fixed_in("3.13.10, 3.14.1", "3.13.5"));
        assert!(fixed_in("3.13.10, 3.14.1", "3.13.15"));
        assert!(!fixed_in("3.14.0a6", "3.13.15"));
        assert!(fixed_in("3.14.0a6", "3.14.10"));
        assert!(fixed_in("3.13.0rc2", "3.13.5"));
        assert!(!fixed_in("open when seen (2026-07)", "3.13.5"));
        assert!(!fixed_in("3.15, 3.14.x (2026-06)", "3.14.10"));
        assert!(fixed_in("3.14.0a1 (3.13 left as it is)", "3.13.5") == fixed_in("3.13", "3.13.5"));
    }

    #[test]
    fn code_that_is_newer() {
        assert!(newer_than("3.14 alphas", "3.13.5"));
        assert!(!newer_than("3.13, 3.14", "3.13.5"));
        assert!(!newer_than("any", "3.13.5"));
    }
}
