//! Commands that a user copies into a shell.

/// A word as a POSIX shell reads it back.
///
/// # Panics
/// Never: what a user typed or a file name holds has no NUL, and one would pass.
pub fn word(text: &str) -> String {
    shlex::Quoter::new()
        .allow_nul(true)
        .quote(text)
        .expect("only NUL cannot be quoted")
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_from_a_shell() {
        assert_eq!(word("/a/b.c:D"), "/a/b.c:D");
        for text in ["graalpy --x", "it's", "", "a\"b$c`d\\e", "~/x*"] {
            assert_ne!(word(text), text);
            assert_eq!(shlex::split(&word(text)), Some(vec![text.to_owned()]));
        }
    }
}
