//! The Linux kernel's primitives, by their names in the kernel and by the names that herd's
//! own definitions of them use, mapped to C11.
//!
//! | kernel, or herd's annotation | here |
//! |---|---|
//! | `once`, `_relaxed`, `READ_ONCE`, `WRITE_ONCE`, `atomic_read`, `atomic_add` … without a value | relaxed |
//! | `acquire`, `_acquire`, `smp_load_acquire`, `rcu_dereference` | acquire |
//! | `release`, `_release`, `smp_store_release`, `rcu_assign_pointer` | release |
//! | `mb`, and what has a value and no suffix | relaxed, between two seq_cst fences |
//! | `smp_mb` and the barriers that stand for it beside something else | seq_cst fence |
//! | `smp_rmb`, `smp_wmb` | acquire fence, release fence |
//! | `smp_store_mb` | an exchange as `mb` |
//! | `barrier` | nothing |
//!
//! The kernel's model orders by dependencies and orders less by some of these: what comes out
//! is C11's answer about the mapped program.

use super::token::Token;
use super::{BinOp, CmpXchg, Expr, Order, Parser, Result, RmwOp, StmtKind, UnOp};

/// How an operation is ordered.
#[derive(Clone, Copy, PartialEq)]
enum Annotation {
    Of(Order),
    /// Between two full barriers.
    Full,
}

/// The name without its suffix, and what the suffix says.
fn suffix(word: &str) -> (&str, Annotation) {
    for (suffix, order) in [
        ("_relaxed", Order::Relaxed),
        ("_acquire", Order::Acquire),
        ("_release", Order::Release),
    ] {
        if let Some(base) = word.strip_suffix(suffix) {
            return (base, Annotation::Of(order));
        }
    }
    (word, Annotation::Full)
}

fn operation(name: &str) -> Option<RmwOp> {
    Some(match name {
        "add" | "inc" => RmwOp::Add,
        "sub" | "dec" => RmwOp::Sub,
        "and" | "andnot" => RmwOp::And,
        "or" => RmwOp::Or,
        "xor" => RmwOp::Xor,
        _ => return None,
    })
}

/// What the operation makes of two values.
fn operator(op: RmwOp) -> BinOp {
    match op {
        RmwOp::Add => BinOp::Add,
        RmwOp::Sub => BinOp::Sub,
        RmwOp::And => BinOp::BitAnd,
        RmwOp::Or => BinOp::BitOr,
        RmwOp::Xor | RmwOp::Exchange => BinOp::BitXor,
    }
}

fn update(op: RmwOp, address: Expr, operand: Expr, order: Annotation) -> Expr {
    let with = |order| Expr::Rmw(op, Box::new(address), Box::new(operand), order);
    match order {
        Annotation::Of(order) => with(order),
        Annotation::Full => Expr::Fenced(Box::new(with(Order::Relaxed))),
    }
}

fn compare(op: BinOp, left: Expr, right: i64) -> Expr {
    Expr::Binary(op, Box::new(left), Box::new(Expr::Const(right)))
}

impl Parser {
    fn note_linux(&mut self, word: &str) {
        self.warn(format!(
            "`{word}` and its like are read as C11's nearest, see the language's documentation; the Linux kernel has a model of its own"
        ));
    }

    /// A primitive that has a value; `None` if it is none.
    pub(super) fn linux_call(&mut self, word: &str) -> Result<Option<Expr>> {
        if word.starts_with("__") {
            return self.herd_call(word);
        }
        let (base, order) = suffix(word);
        let bare = base.strip_prefix("atomic_").unwrap_or(base);
        let expr = match (word, bare) {
            ("READ_ONCE", _) => {
                let address = self.begin(word, Parser::place_argument)?;
                Expr::Load(Box::new(address), Order::Relaxed)
            }
            ("smp_load_acquire" | "atomic_read_acquire" | "rcu_dereference", _) => {
                let address = self.begin(word, Parser::place_argument)?;
                Expr::Load(Box::new(address), Order::Acquire)
            }
            ("atomic_read", _) => {
                let address = self.begin(word, Parser::address)?;
                Expr::Load(Box::new(address), Order::Relaxed)
            }
            ("spin_is_locked", _) => {
                let address = self.begin(word, Parser::address)?;
                compare(BinOp::Ne, Expr::Load(Box::new(address), Order::Relaxed), 0)
            }
            ("spin_trylock", _) => {
                let address = self.begin(word, Parser::address)?;
                compare(BinOp::Eq, trylock(address), 0)
            }
            ("atomic_add_unless", _) => {
                let address = self.begin(word, Parser::address)?;
                self.add_unless(address)?
            }
            (_, "xchg") => {
                let address = self.begin(word, Parser::address)?;
                self.expect(",", "after the location")?;
                update(RmwOp::Exchange, address, self.argument()?, order)
            }
            (_, "cmpxchg") => {
                let address = self.begin(word, Parser::address)?;
                self.cmpxchg(address, order)?
            }
            _ => match self.linux_arithmetic(word, base, order)? {
                Some(expr) => expr,
                None => return Ok(None),
            },
        };
        self.expect(")", "after the arguments")?;
        Ok(Some(expr))
    }

    /// Takes the name and the parenthesis, then the first argument.
    fn begin(
        &mut self,
        word: &str,
        first: impl FnOnce(&mut Parser) -> Result<Expr>,
    ) -> Result<Expr> {
        self.note_linux(word);
        self.advance();
        self.expect("(", "after the function's name")?;
        first(self)
    }

    fn add_unless(&mut self, address: Expr) -> Result<Expr> {
        self.expect(",", "after the location")?;
        let added = self.argument()?;
        self.expect(",", "after the number")?;
        let unless = self.argument()?;
        Ok(Expr::AddUnless(Box::new([address, added, unless])))
    }

    fn cmpxchg(&mut self, address: Expr, order: Annotation) -> Result<Expr> {
        self.expect(",", "after the location")?;
        let old = self.argument()?;
        self.expect(",", "after the expected value")?;
        let new = self.argument()?;
        let (bare, full) = match order {
            Annotation::Of(order) => (order, false),
            Annotation::Full => (Order::Relaxed, true),
        };
        let expr = Expr::CmpXchg(Box::new(CmpXchg {
            address,
            old,
            new,
            order: bare,
        }));
        Ok(if full {
            Expr::Fenced(Box::new(expr))
        } else {
            expr
        })
    }

    /// `atomic_add(1, x)`, `atomic_inc_return(x)`, `atomic_fetch_add_relaxed(1, x)`,
    /// `atomic_dec_and_test(x)` and so on, up to the closing parenthesis.
    fn linux_arithmetic(
        &mut self,
        word: &str,
        base: &str,
        order: Annotation,
    ) -> Result<Option<Expr>> {
        let Some(rest) = base.strip_prefix("atomic_") else {
            return Ok(None);
        };
        let (name, result) = if let Some(name) = rest.strip_prefix("fetch_") {
            (name, "fetch")
        } else if let Some(name) = rest.strip_suffix("_return") {
            (name, "return")
        } else if let Some(name) = rest.strip_suffix("_and_test") {
            (name, "test")
        } else if let Some(name) = rest.strip_suffix("_negative") {
            (name, "negative")
        } else {
            (rest, "")
        };
        let Some(op) = operation(name) else {
            return Ok(None);
        };
        let operand = match name {
            "inc" | "dec" => {
                self.note_linux(word);
                self.advance();
                self.expect("(", "after the function's name")?;
                Expr::Const(1)
            }
            _ => {
                let operand = self.begin(word, Parser::argument)?;
                self.expect(",", "after the number")?;
                match name {
                    "andnot" => Expr::Unary(UnOp::BitNot, Box::new(operand)),
                    _ => operand,
                }
            }
        };
        let address = self.address()?;
        let order = match result {
            "" => Annotation::Of(Order::Relaxed),
            _ => order,
        };
        let old = update(op, address, operand.clone(), order);
        Ok(Some(match result {
            "" | "fetch" => old,
            _ => {
                let new = self.new_value(op, old, operand)?;
                match result {
                    "return" => new,
                    "test" => compare(BinOp::Eq, new, 0),
                    _ => compare(BinOp::Lt, new, 0),
                }
            }
        }))
    }

    /// The value that an update has written: computed from the one before, so the operand is
    /// written twice.
    fn new_value(&mut self, op: RmwOp, old: Expr, operand: Expr) -> Result<Expr> {
        if operand.touches_memory() {
            return Err(self.error(
                "the number is itself read from memory",
                "read it into a register first",
            ));
        }
        Ok(Expr::Binary(operator(op), Box::new(old), Box::new(operand)))
    }

    /// `atomic_fetch_add(1, x)` is the kernel's, `atomic_fetch_add(x, 1)` C's. Comes after the
    /// parenthesis; `None` if it is C's.
    pub(super) fn linux_fetch(&mut self, word: &str, op: RmwOp) -> Result<Option<Expr>> {
        let linux = op != RmwOp::Exchange
            && match self.peek() {
                Token::Number(..) => true,
                Token::Word(word) => self.env.register(word).is_some_and(|ty| !ty.is_pointer()),
                _ => false,
            }
            && *self.peek_at(1) == Token::Symbol(",");
        if !linux {
            return Ok(None);
        }
        self.note_linux(word);
        let operand = self.argument()?;
        self.expect(",", "after the number")?;
        let address = self.address()?;
        self.expect(")", "after the arguments")?;
        Ok(Some(update(op, address, operand, Annotation::Full)))
    }

    /// A primitive that has no value; `None` if it is none.
    pub(super) fn linux_action(&mut self, word: &str) -> Result<Option<StmtKind>> {
        if word.starts_with("__") {
            return self.herd_action(word);
        }
        let fence = match word {
            "smp_mb"
            | "smp_mb__before_atomic"
            | "smp_mb__after_atomic"
            | "smp_mb__before_spinlock"
            | "smp_mb__after_spinlock"
            | "smp_mb__after_unlock_lock" => Some(Order::SeqCst),
            "smp_rmb" => Some(Order::Acquire),
            "smp_wmb" => Some(Order::Release),
            "barrier" | "smp_read_barrier_depends" => Some(Order::Relaxed),
            _ => None,
        };
        let kind = if let Some(order) = fence {
            self.note_linux(word);
            self.advance();
            self.expect("(", "after the function's name")?;
            StmtKind::Fence(order)
        } else {
            let (order, full) = match word {
                "WRITE_ONCE" | "atomic_set" => (Order::Relaxed, false),
                "smp_store_release" | "rcu_assign_pointer" | "atomic_set_release" => {
                    (Order::Release, false)
                }
                "smp_store_mb" => (Order::Relaxed, true),
                _ => return Ok(None),
            };
            let address = self.begin(word, Parser::place_argument)?;
            self.expect(",", "after the location")?;
            let value = self.argument()?;
            match full {
                // Followed by a full barrier; an exchange between two is what C11 has.
                true => StmtKind::Effect(update(RmwOp::Exchange, address, value, Annotation::Full)),
                false => StmtKind::Store(address, value, order),
            }
        };
        self.expect(")", "after the arguments")?;
        Ok(Some(kind))
    }

    /// `{once}`, `{acquire}`, `{mb}`, … after the name.
    fn annotation(&mut self, word: &str) -> Result<(String, Annotation)> {
        self.note_linux(word);
        self.advance();
        self.expect("{", "after the name")?;
        let at = self.at();
        let mut text = self.word("an annotation")?;
        while self.eat("-") {
            text += "-";
            text += &self.word("the rest of the annotation")?;
        }
        // A second one is for failure.
        if self.eat(",") {
            self.word("an annotation")?;
        }
        self.expect("}", "after the annotation")?;
        let text = text.to_ascii_lowercase();
        let order = match text.as_str() {
            "once" | "noreturn" | "relaxed" | "barrier" => Annotation::Of(Order::Relaxed),
            "acquire" | "rmb" => Annotation::Of(Order::Acquire),
            "release" | "wmb" => Annotation::Of(Order::Release),
            "mb" | "before-atomic" | "after-atomic" | "after-spinlock" | "after-unlock-lock" => {
                Annotation::Full
            }
            _ => {
                return Err(super::ParseError::new(
                    at,
                    format!("the annotation `{text}` is not supported"),
                    "write once, acquire, release, mb, rmb or wmb",
                ));
            }
        };
        Ok((text, order))
    }

    /// `__load{once}(*x)` and so on.
    fn herd_call(&mut self, word: &str) -> Result<Option<Expr>> {
        let expr = match word {
            "__load" => {
                let (_, order) = self.annotation(word)?;
                self.expect("(", "after the annotation")?;
                let address = self.place_argument()?;
                let order = match order {
                    Annotation::Of(order @ (Order::Relaxed | Order::Acquire)) => order,
                    _ => return Err(self.error("no load is ordered so", "write once or acquire")),
                };
                Expr::Load(Box::new(address), order)
            }
            "__xchg" => {
                let (_, order) = self.annotation(word)?;
                self.expect("(", "after the annotation")?;
                let address = self.address()?;
                self.expect(",", "after the location")?;
                update(RmwOp::Exchange, address, self.argument()?, order)
            }
            "__cmpxchg" => {
                let (_, order) = self.annotation(word)?;
                self.expect("(", "after the annotation")?;
                let address = self.address()?;
                self.cmpxchg(address, order)?
            }
            "__atomic_fetch_op" | "__atomic_op_return" => {
                let (_, order) = self.annotation(word)?;
                self.expect("(", "after the annotation")?;
                let (op, address, operand) = self.operation()?;
                let old = update(op, address, operand.clone(), order);
                match word {
                    "__atomic_fetch_op" => old,
                    _ => self.new_value(op, old, operand)?,
                }
            }
            "__atomic_add_unless" => {
                if *self.peek_at(1) == Token::Symbol("{") {
                    self.annotation(word)?;
                } else {
                    self.note_linux(word);
                    self.advance();
                }
                self.expect("(", "after the function's name")?;
                let address = self.address()?;
                self.add_unless(address)?
            }
            "__trylock" => {
                let address = self.begin(word, Parser::address)?;
                compare(BinOp::Eq, trylock(address), 0)
            }
            "__islocked" => {
                let address = self.begin(word, Parser::address)?;
                let load = Expr::Load(Box::new(address), Order::Relaxed);
                compare(BinOp::Ne, load, 0)
            }
            _ => return Ok(None),
        };
        self.expect(")", "after the arguments")?;
        Ok(Some(expr))
    }

    /// `x, +, 1`
    fn operation(&mut self) -> Result<(RmwOp, Expr, Expr)> {
        let address = self.address()?;
        self.expect(",", "after the location")?;
        let op = match self.peek() {
            Token::Symbol("+") => RmwOp::Add,
            Token::Symbol("-") => RmwOp::Sub,
            Token::Symbol("&") => RmwOp::And,
            Token::Symbol("|") => RmwOp::Or,
            Token::Symbol("^") => RmwOp::Xor,
            other => {
                let what = format!("expected an operator, found {}", other.shown());
                return Err(self.error(what, "write one of + - & | ^"));
            }
        };
        self.advance();
        let negated = op == RmwOp::And && self.eat("~");
        self.expect(",", "after the operator")?;
        let operand = self.argument()?;
        Ok(match negated {
            true => (op, address, Expr::Unary(UnOp::BitNot, Box::new(operand))),
            false => (op, address, operand),
        })
    }

    /// `__store{once}(*x, 1)`, `__fence{mb}` and so on.
    fn herd_action(&mut self, word: &str) -> Result<Option<StmtKind>> {
        let kind = match word {
            "__fence" => {
                let (_, order) = self.annotation(word)?;
                return Ok(Some(StmtKind::Fence(match order {
                    Annotation::Of(order) => order,
                    Annotation::Full => Order::SeqCst,
                })));
            }
            "__store" => {
                let (text, order) = self.annotation(word)?;
                self.expect("(", "after the annotation")?;
                let address = self.place_argument()?;
                self.expect(",", "after the location")?;
                let value = self.argument()?;
                match order {
                    Annotation::Of(order @ (Order::Relaxed | Order::Release)) => {
                        StmtKind::Store(address, value, order)
                    }
                    Annotation::Full if text == "mb" => {
                        StmtKind::Effect(update(RmwOp::Exchange, address, value, order))
                    }
                    _ => {
                        return Err(self.error("no store is ordered so", "write once or release"));
                    }
                }
            }
            "__atomic_op" => {
                if *self.peek_at(1) == Token::Symbol("{") {
                    self.annotation(word)?;
                } else {
                    self.note_linux(word);
                    self.advance();
                }
                self.expect("(", "after the function's name")?;
                let (op, address, operand) = self.operation()?;
                let order = Annotation::Of(Order::Relaxed);
                StmtKind::Effect(update(op, address, operand, order))
            }
            "__lock" => StmtKind::Lock(self.begin(word, Parser::address)?),
            "__unlock" => {
                let address = self.begin(word, Parser::address)?;
                StmtKind::Store(address, Expr::Const(0), Order::Release)
            }
            _ => return Ok(None),
        };
        self.expect(")", "after the arguments")?;
        Ok(Some(kind))
    }
}

/// The lock's value before an attempt to take it.
fn trylock(address: Expr) -> Expr {
    Expr::CmpXchg(Box::new(CmpXchg {
        address,
        old: Expr::Const(0),
        new: Expr::Const(1),
        order: Order::Acquire,
    }))
}
