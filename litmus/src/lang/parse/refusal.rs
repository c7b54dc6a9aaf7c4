//! Well-known constructs that are not supported.

use super::token::Token;
use super::{ParseError, Parser, Pos};

impl Parser {
    /// The error at a word that means nothing to us here.
    pub(super) fn refused(&self, word: &str) -> ParseError {
        let at: Pos = self.at();
        match refusal(word) {
            Some((what, help)) => ParseError::new(at, format!("`{word}`: {what}"), help),
            None if matches!(self.peek_at(1), Token::Symbol("(" | "{")) => ParseError::new(
                at,
                format!("`{word}` is not a function we know, or has no value to be used here"),
                "there are atomic_load, atomic_store, atomic_exchange, atomic_fetch_add/sub/or/xor/and, atomic_compare_exchange_strong/weak (each also _explicit), atomic_thread_fence, lock, unlock, and the Linux kernel's primitives",
            ),
            None => ParseError::new(
                at,
                format!("`{word}` is not a register of this thread"),
                format!("declare it before: `int {word} = 0;`"),
            ),
        }
    }
}

/// Why a well-known construct is not supported, and what to do instead.
pub(super) fn refusal(word: &str) -> Option<(&'static str, &'static str)> {
    Some(match word {
        "case" | "default" => (
            "there is no `switch` whose braces it stands in",
            "write it between statements of a `switch`, not inside one of them",
        ),
        "rcu_read_lock" | "rcu_read_unlock" | "synchronize_rcu" | "srcu_read_lock"
        | "srcu_read_unlock" | "synchronize_srcu" | "call_rcu" | "__srcu" => (
            "RCU is not expressible in C11",
            "write the synchronisation out with atomics",
        ),
        "mtx_trylock" => (
            "its value is a `thrd_…` constant",
            "use spin_trylock, which is 1 when it has taken the lock",
        ),
        "constvar" => (
            "it stands for a constant that is not there",
            "write the constant",
        ),
        "atomic_signal_fence" => (
            "it orders against signal handlers only",
            "use atomic_thread_fence",
        ),
        "else" => (
            "there is no `if` before it",
            "write `if (…) { … } else { … }`",
        ),
        "void" => ("nothing can be `void`", "write `(void) e;` to drop a value"),
        "sizeof" => ("sizes are not supported", "write the number"),
        _ => return None,
    })
}
