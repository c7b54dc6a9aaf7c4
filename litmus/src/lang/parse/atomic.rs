//! C11's atomic functions, and which functions there are at all.

use super::token::Token;
use super::{
    BinOp, Cas, Expected, Expr, Order, ParseError, Parser, Result, RmwOp, StmtKind, c_name,
};

const LOADS: [Order; 3] = [Order::Relaxed, Order::Acquire, Order::SeqCst];
const STORES: [Order; 3] = [Order::Relaxed, Order::Release, Order::SeqCst];
const ALL: [Order; 5] = [
    Order::Relaxed,
    Order::Acquire,
    Order::Release,
    Order::AcqRel,
    Order::SeqCst,
];

impl Parser {
    /// A call that has a value.
    pub(super) fn call(&mut self, word: &str) -> Result<Expr> {
        let (base, explicit) = match word.strip_suffix("_explicit") {
            Some(base) => (base, true),
            None => (word, false),
        };
        let rmw = RmwOp::ALL.into_iter().find(|op| op.c_name() == base);
        let strong = match base {
            "atomic_compare_exchange_strong" | "SCAS" => Some(true),
            "atomic_compare_exchange_weak" | "WCAS" => Some(false),
            _ => None,
        };
        if base != "atomic_load"
            && base != "atomic_flag_test_and_set"
            && rmw.is_none()
            && strong.is_none()
        {
            return match self.linux_call(word)? {
                Some(expr) => Ok(expr),
                None => Err(self.refused(word)),
            };
        }
        self.advance();
        self.expect("(", "after the function's name")?;
        let expr = if let Some(strong) = strong {
            let address = self.atomic_address()?;
            self.expect(",", "after the location")?;
            let expected = self.expected()?;
            self.expect(",", "after the expected value")?;
            let desired = self.argument()?;
            // SCAS and WCAS take orders or leave them out.
            let explicit = explicit || self.ahead(",");
            let success = self.order_of(explicit, &ALL, "a compare-exchange")?;
            let failure = self.order_of(
                explicit,
                &LOADS,
                "a failing compare-exchange (it only loads)",
            )?;
            Expr::Cas(Box::new(Cas {
                address,
                expected,
                desired,
                success,
                failure,
                weak: !strong,
            }))
        } else if let Some(op) = rmw {
            if let Some(expr) = self.linux_fetch(word, op)? {
                return Ok(expr);
            }
            let address = self.atomic_address()?;
            self.expect(",", "after the location")?;
            let operand = self.argument()?;
            let order = self.order_of(explicit, &ALL, "a read-modify-write")?;
            Expr::Rmw(op, Box::new(address), Box::new(operand), order)
        } else if base == "atomic_load" {
            let address = self.atomic_address()?;
            let order = self.order_of(explicit, &LOADS, "a load")?;
            Expr::Load(Box::new(address), order)
        } else {
            let address = self.atomic_address()?;
            let order = self.order_of(explicit, &ALL, "a read-modify-write")?;
            let set = Expr::Rmw(
                RmwOp::Exchange,
                Box::new(address),
                Box::new(Expr::Const(1)),
                order,
            );
            Expr::Binary(BinOp::Ne, Box::new(set), Box::new(Expr::Const(0)))
        };
        self.expect(")", "after the arguments")?;
        Ok(expr)
    }

    /// A call that has no value: a store, a fence, a lock.
    pub(super) fn action(&mut self, word: &str) -> Result<Option<StmtKind>> {
        let (base, explicit) = match word.strip_suffix("_explicit") {
            Some(base) => (base, true),
            None => (word, false),
        };
        self.nodes = 0;
        let kind = match base {
            "atomic_store" | "atomic_init" | "atomic_flag_clear" => {
                self.advance();
                self.expect("(", "after the function's name")?;
                let address = self.atomic_address()?;
                let value = match base {
                    "atomic_flag_clear" => Expr::Const(0),
                    _ => {
                        self.expect(",", "after the location")?;
                        self.argument()?
                    }
                };
                let order = match base {
                    "atomic_init" => Order::Plain,
                    _ => self.order_of(explicit, &STORES, "a store")?,
                };
                StmtKind::Store(address, value, order)
            }
            "atomic_thread_fence" => {
                self.advance();
                self.expect("(", "after the function's name")?;
                StmtKind::Fence(self.bare_order()?)
            }
            "lock" | "mtx_lock" | "spin_lock" | "raw_spin_lock" => {
                self.advance();
                self.expect("(", "after the function's name")?;
                StmtKind::Lock(self.address()?)
            }
            "unlock" | "mtx_unlock" | "spin_unlock" | "raw_spin_unlock" => {
                self.advance();
                self.expect("(", "after the function's name")?;
                StmtKind::Store(self.address()?, Expr::Const(0), Order::Release)
            }
            "spin_unlock_wait" => {
                self.advance();
                self.expect("(", "after the function's name")?;
                let lock = Expr::Load(Box::new(self.address()?), Order::Acquire);
                let taken = Expr::Binary(BinOp::Ne, Box::new(lock), Box::new(Expr::Const(0)));
                StmtKind::While(taken, Vec::new())
            }
            _ => return self.linux_action(word),
        };
        self.expect(")", "after the arguments")?;
        Ok(Some(kind))
    }

    fn expected(&mut self) -> Result<Expected> {
        if let (Token::Symbol("&"), Token::Word(word)) = (self.peek(), self.peek_at(1).clone())
            && self.env.param(&word).is_none()
        {
            self.advance();
            if self.env.register(&word).is_none() {
                return Err(ParseError::new(
                    self.at(),
                    format!("`{word}` is not a register of this thread"),
                    format!("declare it before: `int {word} = 0;`"),
                ));
            }
            self.advance();
            return Ok(Expected::Reg(word));
        }
        if matches!(self.peek(), Token::Number(..)) {
            return Err(self.error(
                "the expected value is passed by address",
                "write `int e = 0;` before and pass `&e`",
            ));
        }
        self.address().map(Expected::Memory)
    }

    /// `, memory_order_…` as the next argument, if there is to be one.
    fn order_of(&mut self, explicit: bool, allowed: &[Order], of: &str) -> Result<Order> {
        if !explicit {
            return Ok(Order::SeqCst);
        }
        self.expect(",", "before the memory order")?;
        let at = self.at();
        let order = self.bare_order()?;
        if allowed.contains(&order) {
            return Ok(order);
        }
        let names: Vec<&str> = allowed.iter().map(|order| c_name(*order)).collect();
        Err(ParseError::new(
            at,
            format!("{} is no order for {of}", c_name(order)),
            format!("use {}", names.join(", ")),
        ))
    }

    fn bare_order(&mut self) -> Result<Order> {
        let at = self.at();
        let word = self.word("a memory order")?;
        match word.strip_prefix("memory_order_").unwrap_or("") {
            "relaxed" => Ok(Order::Relaxed),
            "acquire" => Ok(Order::Acquire),
            "consume" => {
                self.warn_at(at, "memory_order_consume is read as acquire");
                Ok(Order::Acquire)
            }
            "release" => Ok(Order::Release),
            "acq_rel" => Ok(Order::AcqRel),
            "seq_cst" => Ok(Order::SeqCst),
            _ => Err(ParseError::new(
                at,
                format!("`{word}` is not a memory order"),
                "use memory_order_relaxed, _acquire, _release, _acq_rel or _seq_cst",
            )),
        }
    }
}
