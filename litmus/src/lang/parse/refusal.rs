//! Well-known constructs that are not supported.

use super::token::Token;
use super::{ParseError, Parser, Pos};

impl Parser {
    /// The error at a word that means nothing to us here.
    pub(super) fn refused(&self, word: &str) -> ParseError {
        let at: Pos = self.at();
        match refusal(word) {
            Some((what, help)) => ParseError::new(at, format!("`{word}`: {what}"), help),
            None if matches!(self.peek_at(1), Token::Symbol("(")) => ParseError::new(
                at,
                format!("`{word}` is not a function of the supported C11 subset"),
                "use atomic_load, atomic_store, atomic_exchange, atomic_fetch_add/sub/or/xor/and, atomic_compare_exchange_strong/weak (each also _explicit), atomic_thread_fence",
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
        "while" | "for" | "do" | "goto" => (
            "loops are not supported",
            "unroll the loop with if/else, or write the program in Rust with `threadbare_litmus::explore`, which knows awaits",
        ),
        "return" | "break" | "continue" | "switch" => {
            ("control flow is if/else only", "nest if/else instead")
        }
        "lock" | "unlock" | "mtx_lock" | "mtx_unlock" | "spin_lock" | "spin_unlock" => (
            "locks are not supported",
            "spell the lock as a compare-exchange (acquire) and a store (release)",
        ),
        "READ_ONCE" | "WRITE_ONCE" | "smp_mb" | "smp_rmb" | "smp_wmb" | "smp_load_acquire"
        | "smp_store_release" | "rcu_read_lock" | "rcu_read_unlock" | "synchronize_rcu"
        | "xchg" | "cmpxchg" => (
            "this is the Linux kernel's model, not C11",
            "use the atomic_…_explicit functions",
        ),
        "atomic_signal_fence" => (
            "it orders against signal handlers only",
            "use atomic_thread_fence",
        ),
        "else" => (
            "there is no `if` before it",
            "write `if (…) { … } else { … }`",
        ),
        "atomic_flag_test_and_set" | "atomic_flag_test_and_set_explicit" => (
            "flags are not supported",
            "use atomic_exchange_explicit(x, 1, order) on an atomic_int",
        ),
        _ => return None,
    })
}
