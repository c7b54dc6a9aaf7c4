//! Places, the initial state and `locations`.

use super::token::Token;
use super::{Init, Known, MAX_THREADS, ParseError, Parser, Place, Result};

impl Parser {
    /// `x`, `[x]`, `0:r0` or `P0:r0`; after the threads it has to exist.
    pub(super) fn place(&mut self) -> Result<Place> {
        let at = self.at();
        let place = self.any_place()?;
        let Some(known) = &self.known else {
            return Ok(place);
        };
        match &place {
            Place::Location(name) if !known.locations.contains(name) => {
                let mut names = known.locations.clone();
                names.sort();
                names.dedup();
                let help = match names.is_empty() {
                    true => "this test has no shared location; registers are written thread:name, as in 0:r0".into(),
                    false => format!("locations are {}; registers are written thread:name, as in 0:r0", names.join(", ")),
                };
                Err(ParseError::new(
                    at,
                    format!("`{name}` is not a location of this test"),
                    help,
                ))
            }
            Place::Register(thread, name) => match known.registers.get(*thread) {
                None => Err(ParseError::new(
                    at,
                    "there is no such thread",
                    format!("the threads are 0 to {}", known.registers.len() - 1),
                )),
                Some(names) if !names.contains(name) => {
                    let help = match names.is_empty() {
                        true => "that thread has no register; declare one: `int r0 = …;`".into(),
                        false => format!("its registers are {}", names.join(", ")),
                    };
                    Err(ParseError::new(
                        at,
                        format!("thread {thread} has no register `{name}`"),
                        help,
                    ))
                }
                Some(_) => Ok(place),
            },
            Place::Location(_) => Ok(place),
        }
    }

    fn any_place(&mut self) -> Result<Place> {
        if self.eat("[") {
            let name = self.word("a location")?;
            self.expect("]", "after the location")?;
            return Ok(Place::Location(name));
        }
        if let Token::Number(thread) = *self.peek() {
            self.advance();
            self.expect(":", "between thread and register")?;
            return self.register(thread);
        }
        let name = self.word("a location or register")?;
        match proc_number(&name) {
            Some(thread) if self.eat(":") => self.register(thread),
            _ => Ok(Place::Location(name)),
        }
    }

    fn register(&mut self, thread: i64) -> Result<Place> {
        let name = self.word("a register")?;
        // Absurd numbers are refused with the other unknown threads, when the test is resolved.
        Ok(Place::Register(
            usize::try_from(thread).unwrap_or(usize::MAX),
            name,
        ))
    }

    pub(super) fn init(&mut self, known: &mut Known) -> Result<Vec<Init>> {
        self.expect("{", "before the initial state")?;
        let mut out: Vec<Init> = Vec::new();
        loop {
            while self.eat(";") {}
            if self.eat("}") {
                return Ok(out);
            }
            let at = self.at();
            self.init_type()?;
            let place = self.place()?;
            if self.ahead("[") {
                return Err(self.error("arrays are not supported", "name each cell: `a0=0; a1=0;`"));
            }
            let value = if self.eat("=") {
                if self.eat_word("ATOMIC_VAR_INIT") {
                    self.expect("(", "after ATOMIC_VAR_INIT")?;
                    let value = self.integer("an initial value")?;
                    self.expect(")", "after the value")?;
                    value
                } else {
                    self.integer("an initial value")?
                }
            } else {
                0
            };
            if out.iter().any(|init| init.place == place) {
                return Err(ParseError::new(
                    at,
                    "initialised twice",
                    "remove one of the two",
                ));
            }
            match &place {
                Place::Location(name) => known.locations.push(name.clone()),
                Place::Register(thread, name) => {
                    if *thread >= MAX_THREADS {
                        return Err(ParseError::new(
                            at,
                            "there is no such thread",
                            format!("threads are P0 to at most P{}", MAX_THREADS - 1),
                        ));
                    }
                    let length = known.registers.len().max(thread + 1);
                    known.registers.resize(length, Vec::new());
                    known.registers[*thread].push(name.clone());
                }
            }
            out.push(Init { place, value });
            if !self.ahead("}") {
                self.expect(";", "after an initial value")?;
            }
        }
    }

    pub(super) fn locations(&mut self) -> Result<Vec<Place>> {
        self.expect("[", "after `locations`")?;
        let mut out = Vec::new();
        loop {
            while self.eat(";") {}
            if self.eat("]") {
                return Ok(out);
            }
            let place = self.place()?;
            if !out.contains(&place) {
                out.push(place);
            }
            if !self.ahead("]") {
                self.expect(";", "between locations")?;
            }
        }
    }
}

/// `P12` is 12.
pub(super) fn proc_number(word: &str) -> Option<i64> {
    let digits = word.strip_prefix('P')?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}
