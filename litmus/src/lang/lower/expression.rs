//! Flattening expressions: every intermediate value gets a register of its own.

use super::{ELEMENT, Lowering};
use crate::lang::ast::{BinOp, Cas, CmpXchg, Expected, Expr, IntType, Order, Type, UnOp};
use crate::lang::code::{Index, Instr, Operand, Target};

impl Lowering<'_> {
    /// The value of an expression: in a register, unless it is a constant.
    pub(super) fn operand(&mut self, expr: &Expr) -> Operand {
        match expr {
            Expr::Const(value) => Operand::Const(*value),
            Expr::Reg(name) => Operand::Reg(self.register(name)),
            Expr::Address(name) => Operand::Const(self.locations.address(name)),
            Expr::Cast(ty, inner) if matches!(**inner, Expr::Const(_)) => {
                self.converted(inner, *ty)
            }
            _ => {
                let dst = self.temporary();
                self.evaluate(expr, dst);
                Operand::Reg(dst)
            }
        }
    }

    fn compute(&mut self, dst: Index, op: BinOp, a: Operand, b: Operand) {
        let ty = IntType::LONG;
        self.emit(Instr::Compute { dst, op, a, b, ty });
    }

    fn copy(&mut self, dst: Index, from: Operand) {
        let ty = IntType::LONG;
        self.emit(Instr::Convert { dst, from, ty });
    }

    /// An operand that what is evaluated next does not change. A compare-exchange changes a
    /// named register.
    fn kept(&mut self, operand: Operand, next: &Expr) -> Operand {
        match operand {
            Operand::Reg(register) if next.touches_memory() => Operand::Reg(self.own(register)),
            _ => operand,
        }
    }

    /// Computes an expression into a register; the value has the expression's type.
    pub(super) fn evaluate(&mut self, expr: &Expr, dst: Index) {
        match expr {
            Expr::Const(_) | Expr::Reg(_) | Expr::Address(_) => {
                let value = self.operand(expr);
                self.copy(dst, value);
            }
            Expr::Unary(UnOp::Not, inner) => {
                let value = self.operand(inner);
                self.compute(dst, BinOp::Eq, value, Operand::Const(0));
            }
            Expr::Unary(op, inner) => {
                let ty = self.env.of(expr).int();
                let value = self.converted(inner, Type::of(ty));
                let (op, a, b) = match op {
                    UnOp::BitNot => (BinOp::BitXor, value, Operand::Const(-1)),
                    _ => (BinOp::Sub, Operand::Const(0), value),
                };
                self.emit(Instr::Compute { dst, op, a, b, ty });
            }
            Expr::Cast(ty, inner) => {
                let from = self.operand(inner);
                match self.needs_conversion(inner, *ty) {
                    true => self.emit(Instr::Convert {
                        dst,
                        from,
                        ty: ty.int(),
                    }),
                    false => self.copy(dst, from),
                }
            }
            Expr::Binary(op @ (BinOp::And | BinOp::Or), a, b)
                if b.touches_memory() || b.may_be_undefined() =>
            {
                self.short_circuit(dst, *op, a, b);
            }
            Expr::Binary(op, a, b) => self.binary(dst, *op, a, b),
            Expr::Cond(parts) => self.conditional(dst, parts, self.env.of(expr)),
            Expr::Load(address, order) => {
                let target = self.target(address);
                self.emit(Instr::Load {
                    dst,
                    target,
                    order: *order,
                    waits: self.waits,
                });
            }
            Expr::Rmw(op, address, operand, order) => {
                let target = self.target(address);
                let ty = self.env.of(address).pointee();
                let operand = self.converted(operand, ty);
                self.emit(Instr::Rmw {
                    dst,
                    target,
                    op: *op,
                    operand,
                    order: *order,
                });
            }
            Expr::Cas(cas) => self.compare_exchange(cas, dst),
            Expr::CmpXchg(cas) => self.cmpxchg(cas, dst),
            Expr::AddUnless(parts) => {
                self.emit(Instr::Fence(Order::SeqCst));
                self.add_unless(parts, dst);
                self.emit(Instr::Fence(Order::SeqCst));
            }
            Expr::Fenced(inner) => {
                self.emit(Instr::Fence(Order::SeqCst));
                self.evaluate(inner, dst);
                self.emit(Instr::Fence(Order::SeqCst));
            }
        }
    }

    fn short_circuit(&mut self, dst: Index, op: BinOp, a: &Expr, b: &Expr) {
        let result = self.temporary();
        let left = self.operand(a);
        self.compute(result, BinOp::Ne, left, Operand::Const(0));
        // `&&` goes on when the left is not 0, `||` when it is.
        let go_on = self.temporary();
        let when = if op == BinOp::And {
            BinOp::Ne
        } else {
            BinOp::Eq
        };
        self.compute(go_on, when, Operand::Reg(result), Operand::Const(0));
        self.only_if(Operand::Reg(go_on), |this| {
            let right = this.operand(b);
            this.compute(result, BinOp::Ne, right, Operand::Const(0));
        });
        self.copy(dst, Operand::Reg(result));
    }

    fn conditional(&mut self, dst: Index, parts: &[Expr; 3], ty: Type) {
        let [test, then, other] = parts;
        // What is given the value may stand in the test or in the other half.
        let result = self.temporary();
        let test = self.operand(test);
        let mut jump = self.code.len();
        self.only_if(test, |this| {
            let value = this.converted(then, ty);
            this.copy(result, value);
            jump = this.code.len();
            this.emit(Instr::Jump(0));
        });
        let value = self.converted(other, ty);
        self.copy(result, value);
        self.code[jump] = Instr::Jump(self.code.len());
        self.copy(dst, Operand::Reg(result));
    }

    fn binary(&mut self, dst: Index, op: BinOp, a: &Expr, b: &Expr) {
        let pointers = (self.env.of(a).is_pointer(), self.env.of(b).is_pointer());
        if matches!(op, BinOp::Add | BinOp::Sub) && pointers != (false, false) {
            return self.pointer_arithmetic(dst, op, a, b, pointers);
        }
        let ty = self.env.operation(op, a, b);
        let joins = matches!(op, BinOp::And | BinOp::Or);
        let left = match joins {
            true => self.operand(a),
            false => self.converted(a, Type::of(ty)),
        };
        let left = self.kept(left, b);
        let right = match joins || op.is_shift() {
            true => self.operand(b),
            false => self.converted(b, Type::of(ty)),
        };
        let (a, b) = (left, right);
        self.emit(Instr::Compute { dst, op, a, b, ty });
    }

    /// Numbers added to addresses count elements.
    fn pointer_arithmetic(
        &mut self,
        dst: Index,
        op: BinOp,
        a: &Expr,
        b: &Expr,
        (left_points, right_points): (bool, bool),
    ) {
        let scaled = |this: &mut Self, expr: &Expr, points: bool| match this.operand(expr) {
            operand if points => operand,
            Operand::Const(value) => Operand::Const(value.wrapping_mul(ELEMENT)),
            operand => {
                let bytes = this.temporary();
                this.compute(bytes, BinOp::Mul, operand, Operand::Const(ELEMENT));
                Operand::Reg(bytes)
            }
        };
        let left = scaled(self, a, left_points);
        let left = self.kept(left, b);
        let right = scaled(self, b, right_points);
        self.compute(dst, op, left, right);
        if left_points && right_points {
            let bytes = Operand::Reg(dst);
            self.compute(dst, BinOp::Div, bytes, Operand::Const(ELEMENT));
        }
    }

    fn compare_exchange(&mut self, cas: &Cas, dst: Index) {
        let target = self.target(&cas.address);
        let ty = self.env.of(&cas.address).pointee();
        let stored = match &cas.expected {
            Expected::Reg(_) => None,
            Expected::Memory(address) => Some((self.target(address), self.env.of(address))),
        };
        let desired = self.converted(&cas.desired, ty);
        let done = self.temporary();
        let (expected, named) = match (&cas.expected, stored) {
            (Expected::Reg(name), _) => {
                let register = self.register(name);
                let held = self.env.register(name).unwrap_or(Type::INT);
                match held.int() == ty.int() {
                    true => (register, None),
                    // The comparison is one of values of the location's type.
                    false => {
                        let expected = self.temporary();
                        self.emit(Instr::Convert {
                            dst: expected,
                            from: Operand::Reg(register),
                            ty: ty.int(),
                        });
                        (expected, Some((register, held.int())))
                    }
                }
            }
            (Expected::Memory(_), stored) => {
                let expected = self.temporary();
                let (target, _) = stored.expect("memory");
                self.emit(Instr::Load {
                    dst: expected,
                    target,
                    order: Order::Plain,
                    waits: false,
                });
                let from = Operand::Reg(expected);
                let ty = ty.int();
                self.emit(Instr::Convert {
                    dst: expected,
                    from,
                    ty,
                });
                (expected, None)
            }
        };
        self.emit(Instr::Cas {
            done,
            target,
            expected,
            desired,
            success: cas.success,
            failure: cas.failure,
            weak: cas.weak,
        });
        if let Some((register, ty)) = named {
            let from = Operand::Reg(expected);
            self.emit(Instr::Convert {
                dst: register,
                from,
                ty,
            });
        }
        if let Some((target, _)) = stored {
            let failed = self.temporary();
            self.compute(failed, BinOp::Eq, Operand::Reg(done), Operand::Const(0));
            self.only_if(Operand::Reg(failed), |this| {
                this.emit(Instr::Store {
                    target,
                    value: Operand::Reg(expected),
                    order: Order::Plain,
                });
            });
        }
        self.copy(dst, Operand::Reg(done));
    }

    /// The register of the expected value holds the old value afterwards, whether it has
    /// exchanged or not.
    fn cmpxchg(&mut self, cas: &CmpXchg, dst: Index) {
        let target = self.target(&cas.address);
        let ty = self.env.of(&cas.address).pointee();
        let old = self.converted(&cas.old, ty);
        let expected = self.temporary();
        self.copy(expected, old);
        let desired = self.converted(&cas.new, ty);
        self.exchange(target, expected, desired, cas.order);
        self.copy(dst, Operand::Reg(expected));
    }

    fn exchange(
        &mut self,
        target: Target,
        expected: Index,
        desired: Operand,
        success: Order,
    ) -> Index {
        let done = self.temporary();
        self.emit(Instr::Cas {
            done,
            target,
            expected,
            desired,
            success,
            failure: Order::Relaxed,
            weak: false,
        });
        done
    }

    /// As a load and a compare-exchange that takes the value loaded. Runs in which another
    /// write comes between are dropped: they are those in which the load reads that write.
    fn add_unless(&mut self, [address, added, unless]: &[Expr; 3], dst: Index) {
        let target = self.target(address);
        let ty = self.env.of(address).pointee();
        let added = self.converted(added, ty);
        let added = self.kept(added, unless);
        let unless = self.converted(unless, ty);
        let (old, result, differs) = (self.temporary(), self.temporary(), self.temporary());
        self.copy(result, Operand::Const(0));
        self.emit(Instr::Load {
            dst: old,
            target,
            order: Order::Relaxed,
            waits: false,
        });
        self.compute(differs, BinOp::Ne, Operand::Reg(old), unless);
        self.only_if(Operand::Reg(differs), |this| {
            let (sum, failed) = (this.temporary(), this.temporary());
            this.emit(Instr::Compute {
                dst: sum,
                op: BinOp::Add,
                a: Operand::Reg(old),
                b: added,
                ty: ty.int(),
            });
            let done = this.exchange(target, old, Operand::Reg(sum), Order::Relaxed);
            this.compute(failed, BinOp::Eq, Operand::Reg(done), Operand::Const(0));
            this.only_if(Operand::Reg(failed), |this| this.emit(Instr::Abandon));
            this.copy(result, Operand::Reg(done));
        });
        self.copy(dst, Operand::Reg(result));
    }
}
