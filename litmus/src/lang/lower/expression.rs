//! Flattening expressions: every intermediate value gets a register of its own.

use super::Lowering;
use crate::lang::ast::{BinOp, Expected, Expr, Order, UnOp};
use crate::lang::code::{Index, Instr, Operand};

impl Lowering<'_> {
    /// The value of an expression: in a register, unless it is a constant.
    pub(super) fn operand(&mut self, expr: &Expr) -> Operand {
        match expr {
            Expr::Const(value) => Operand::Const(*value),
            Expr::Reg(name) => Operand::Reg(self.register(name)),
            _ => {
                let dst = self.temporary();
                self.evaluate(expr, dst);
                Operand::Reg(dst)
            }
        }
    }

    fn compute(&mut self, dst: Index, op: BinOp, a: Operand, b: Operand) {
        self.emit(Instr::Compute { dst, op, a, b });
    }

    /// Computes an expression into a register.
    pub(super) fn evaluate(&mut self, expr: &Expr, dst: Index) {
        match expr {
            Expr::Const(_) | Expr::Reg(_) => {
                let value = self.operand(expr);
                self.compute(dst, BinOp::Add, value, Operand::Const(0));
            }
            Expr::Unary(UnOp::Neg, inner) => {
                let value = self.operand(inner);
                self.compute(dst, BinOp::Sub, Operand::Const(0), value);
            }
            Expr::Unary(UnOp::Not, inner) => {
                let value = self.operand(inner);
                self.compute(dst, BinOp::Eq, value, Operand::Const(0));
            }
            Expr::Binary(op @ (BinOp::And | BinOp::Or), a, b) if touches_memory(b) => {
                let result = self.temporary();
                let left = self.operand(a);
                self.compute(result, BinOp::Ne, left, Operand::Const(0));
                // `&&` goes on when the left is not 0, `||` when it is.
                let go_on = self.temporary();
                let when = if *op == BinOp::And {
                    BinOp::Ne
                } else {
                    BinOp::Eq
                };
                self.compute(go_on, when, Operand::Reg(result), Operand::Const(0));
                self.only_if(Operand::Reg(go_on), |this| {
                    let right = this.operand(b);
                    this.compute(result, BinOp::Ne, right, Operand::Const(0));
                });
                self.compute(dst, BinOp::Add, Operand::Reg(result), Operand::Const(0));
            }
            Expr::Binary(op, a, b) => {
                let mut left = self.operand(a);
                // A compare-exchange on the right may change a register that the left has read.
                if matches!(left, Operand::Reg(register) if register < self.names.len())
                    && touches_memory(b)
                {
                    let copy = self.temporary();
                    self.compute(copy, BinOp::Add, left, Operand::Const(0));
                    left = Operand::Reg(copy);
                }
                let right = self.operand(b);
                self.compute(dst, *op, left, right);
            }
            Expr::Load(location, order) => {
                let location = self.location(location);
                self.emit(Instr::Load {
                    dst,
                    location,
                    order: *order,
                });
            }
            Expr::Rmw(op, location, operand, order) => {
                let operand = self.operand(operand);
                let location = self.location(location);
                self.emit(Instr::Rmw {
                    dst,
                    location,
                    op: *op,
                    operand,
                    order: *order,
                });
            }
            Expr::Cas(cas) => {
                let desired = self.operand(&cas.desired);
                let location = self.location(&cas.location);
                let done = self.temporary();
                let (expected, stored) = match &cas.expected {
                    Expected::Reg(name) => (self.register(name), None),
                    Expected::Location(name) => {
                        let (expected, stored) = (self.temporary(), self.location(name));
                        self.emit(Instr::Load {
                            dst: expected,
                            location: stored,
                            order: Order::Plain,
                        });
                        (expected, Some(stored))
                    }
                };
                self.emit(Instr::Cas {
                    done,
                    location,
                    expected,
                    desired,
                    success: cas.success,
                    failure: cas.failure,
                    weak: cas.weak,
                });
                if let Some(location) = stored {
                    let failed = self.temporary();
                    self.compute(failed, BinOp::Eq, Operand::Reg(done), Operand::Const(0));
                    self.only_if(Operand::Reg(failed), |this| {
                        this.emit(Instr::Store {
                            location,
                            value: Operand::Reg(expected),
                            order: Order::Plain,
                        });
                    });
                }
                self.compute(dst, BinOp::Add, Operand::Reg(done), Operand::Const(0));
            }
        }
    }
}

fn touches_memory(expr: &Expr) -> bool {
    match expr {
        Expr::Const(_) | Expr::Reg(_) => false,
        Expr::Load(..) | Expr::Rmw(..) | Expr::Cas(_) => true,
        Expr::Unary(_, inner) => touches_memory(inner),
        Expr::Binary(_, a, b) => touches_memory(a) || touches_memory(b),
    }
}
