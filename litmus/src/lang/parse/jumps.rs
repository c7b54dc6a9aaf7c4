//! `break`, `continue`, `return` and `switch`, written out as labels and jumps.

use super::{BinOp, Expr, IntType, ParseError, Parser, Pos, Result, Stmt, StmtKind, Type};

/// Where the thread at hand can be told to go on.
#[derive(Default)]
pub(super) struct Ways {
    /// The loops and switches around the statement at hand, the innermost last.
    around: Vec<Around>,
    /// The end of the thread.
    end: Option<String>,
    /// Names made so far.
    made: usize,
}

#[derive(Default)]
struct Around {
    is_loop: bool,
    /// The label behind it, once something jumps there.
    behind: Option<String>,
    /// The label at the end of its turn, once something jumps there.
    turn: Option<String>,
}

impl Ways {
    /// A name that no test has: C keeps it for the implementation.
    fn name(&mut self, what: &str) -> String {
        self.made += 1;
        format!("__{what}{}", self.made)
    }
}

impl Parser {
    /// `break;`, `continue;`, `return;` or `return e;`, whose value nobody asks for.
    pub(super) fn jump(&mut self, word: &str, out: &mut Vec<Stmt>) -> Result<()> {
        let at = self.at();
        self.advance();
        let ways = &mut self.ways;
        let name = ways.name(word);
        let mut around = ways.around.iter_mut().rev();
        let (label, what) = match word {
            "break" => (
                around.next().map(|around| &mut around.behind),
                "loop or `switch`",
            ),
            "continue" => {
                let found = around.find(|around| around.is_loop);
                (found.map(|around| &mut around.turn), "loop")
            }
            _ => (Some(&mut ways.end), "thread"),
        };
        let Some(label) = label else {
            return Err(ParseError::new(
                at,
                format!("`{word}`: there is no {what} around it"),
                "remove it, or go to a label",
            ));
        };
        let label = label.get_or_insert(name).clone();
        if word == "return" && !self.ahead(";") {
            let value = self.whole_expr()?;
            if value.touches_memory() {
                self.push(at, StmtKind::Effect(value), out);
            }
        }
        self.push(at, StmtKind::Goto(label), out);
        self.expect(";", &format!("after `{word}`"))
    }

    pub(super) fn begin_loop(&mut self) {
        self.ways.around.push(Around {
            is_loop: true,
            ..Around::default()
        });
    }

    /// The end of a turn, before what a `for` does at last.
    pub(super) fn end_turn(&mut self, body: &mut Vec<Stmt>) {
        let around = self.ways.around.last_mut();
        if let Some(label) = around.and_then(|around| around.turn.take()) {
            self.push(self.at(), StmtKind::Label(label), body);
        }
    }

    /// Behind a loop or a `switch`.
    pub(super) fn leave(&mut self, out: &mut Vec<Stmt>) {
        let around = self.ways.around.pop();
        if let Some(label) = around.and_then(|around| around.behind) {
            self.push(self.at(), StmtKind::Label(label), out);
        }
    }

    /// The end of the thread.
    pub(super) fn end_thread(&mut self, out: &mut Vec<Stmt>) {
        if let Some(label) = std::mem::take(&mut self.ways).end {
            self.push(self.at(), StmtKind::Label(label), out);
        }
    }

    /// `switch (e) { case 1: … default: … }`: e, jumps to the cases, and the statements with labels.
    pub(super) fn switch(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        let at = self.at();
        self.advance();
        let value = self.test("switch")?;
        let register = self.ways.name("switch");
        self.push(
            at,
            StmtKind::Declare(Type::of(IntType::LONG), register.clone(), Some(value)),
            out,
        );
        self.expect("{", "before the cases")?;
        self.ways.around.push(Around::default());
        let (mut cases, mut body, mut default) = (Vec::new(), Vec::new(), None);
        while !self.eat("}") {
            let at = self.at();
            let label = if self.eat_word("case") {
                let value = self.whole_expr()?;
                let label = self.ways.name("case");
                cases.push((at, value, label.clone()));
                label
            } else if self.eat_word("default") {
                let label = self.ways.name("default");
                if default.replace(label.clone()).is_some() {
                    let help = "a `switch` has one at most";
                    return Err(ParseError::new(at, "`default` stands here again", help));
                }
                label
            } else {
                self.nested(|parser| parser.statement(&mut body))?;
                continue;
            };
            self.expect(":", "after the case")?;
            self.push(at, StmtKind::Label(label), &mut body);
        }
        for (at, value, label) in cases {
            self.case(at, &register, value, label, out);
        }
        let otherwise = default.unwrap_or_else(|| {
            let name = self.ways.name("break");
            let around = self.ways.around.last_mut();
            let behind = around.map(|around| around.behind.get_or_insert(name));
            behind.cloned().unwrap_or_default()
        });
        self.push(at, StmtKind::Goto(otherwise), out);
        out.append(&mut body);
        self.leave(out);
        Ok(())
    }

    fn case(&mut self, at: Pos, register: &str, value: Expr, label: String, out: &mut Vec<Stmt>) {
        let register = Box::new(Expr::Reg(register.into()));
        let test = Expr::Binary(BinOp::Eq, register, Box::new(value));
        let mut then = Vec::new();
        self.push(at, StmtKind::Goto(label), &mut then);
        self.push(at, StmtKind::If(test, then, Vec::new()), out);
    }
}
