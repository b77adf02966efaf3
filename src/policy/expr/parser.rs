//! From tokens to a tree: operators by binding power.

use std::ops::Range;
use std::sync::Arc;

use crate::domain::Value;
use crate::policy::expr::Op;
use crate::policy::expr::ast::{Ast, Kind, Word};
use crate::policy::expr::lexer::{self, Kind as Lexeme, Token};
use crate::policy::expr::problem::Problem;

/// The longest expression, in bytes.
pub const BYTES_MAX: usize = 2_048;
/// The most parts of an expression.
pub const NODES_MAX: usize = 300;
/// The deepest nesting of an expression.
pub const DEPTH_MAX: usize = 64;

/// Reads an expression.
///
/// # Errors
///
/// The first mistake in its grammar, or what is too large about it.
pub fn parse(text: &str) -> Result<Ast, Problem> {
    if text.len() > BYTES_MAX {
        let message = format!(
            "the expression has {} bytes, at most {BYTES_MAX} are allowed",
            text.len()
        );
        return Err(Problem::new("expression_too_large", 0..text.len(), message)
            .help("name parts of it as `features:`, or split it into a list of conditions"));
    }
    let mut parser = Parser {
        tokens: lexer::tokens(text)?,
        place: 0,
        depth: 0,
        n_nodes: 0,
    };
    if parser.kind() == &Lexeme::End {
        return Err(Problem::syntax(0..0, "the expression is empty"));
    }
    let root = parser.expression()?;
    if parser.kind() == &Lexeme::End {
        return Ok(root);
    }
    Err(parser.unexpected_after())
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
    depth: usize,
    n_nodes: usize,
}

impl Parser {
    fn expression(&mut self) -> Result<Ast, Problem> {
        self.deeper()?;
        let condition = self.binary(1)?;
        let tree = if self.take("?") {
            let yes = self.binary(1)?;
            self.expect(":", "write `condition ? value : other`")?;
            let no = self.expression()?;
            let span = condition.span.start..no.span.end;
            let kind = Kind::If(Box::new(condition), Box::new(yes), Box::new(no));
            self.node(kind, span)?
        } else {
            condition
        };
        self.depth -= 1;
        Ok(tree)
    }

    /// Reads operators that bind at least so strongly; all are left-associative.
    fn binary(&mut self, power_min: u8) -> Result<Ast, Problem> {
        let mut left = self.unary()?;
        let mut compared = false;
        while let Some((op, power)) = self.operator().filter(|(_, power)| *power >= power_min) {
            if power == COMPARES && compared {
                let problem = Problem::syntax(self.span(), "a comparison cannot be compared again");
                return Err(problem.help("write `a < b && b < c`, or use parentheses"));
            }
            compared = power == COMPARES;
            self.place += 1;
            let right = self.binary(power + 1)?;
            let span = left.span.start..right.span.end;
            left = self.node(Kind::Binary(op, Box::new(left), Box::new(right)), span)?;
        }
        Ok(left)
    }

    fn operator(&self) -> Option<(Op, u8)> {
        let sign = match self.kind() {
            Lexeme::Sign(sign) => *sign,
            Lexeme::Word(word) if word.as_ref() == "in" => "in",
            Lexeme::Word(_) | Lexeme::Number(_) | Lexeme::Text(_) | Lexeme::End => return None,
        };
        OPERATORS
            .iter()
            .find(|(text, _, _)| *text == sign)
            .map(|(_, op, power)| (*op, *power))
    }

    fn unary(&mut self) -> Result<Ast, Problem> {
        let start = self.span().start;
        for sign in ["!", "-"] {
            if !self.take(sign) {
                continue;
            }
            self.deeper()?;
            let operand = self.unary()?;
            self.depth -= 1;
            let span = start..operand.span.end;
            let operand = Box::new(operand);
            let kind = if sign == "!" {
                Kind::Not(operand)
            } else {
                Kind::Negate(operand)
            };
            return self.node(kind, span);
        }
        let primary = self.primary()?;
        self.postfix(primary)
    }

    fn postfix(&mut self, mut base: Ast) -> Result<Ast, Problem> {
        loop {
            let start = base.span.start;
            let kind = if self.take(".") {
                self.dotted(base)?
            } else if self.take("[") {
                let index = self.expression()?;
                self.expect("]", "close the bracket by `]`")?;
                Kind::Index(Box::new(base), Box::new(index))
            } else {
                return Ok(base);
            };
            base = self.node(kind, start..self.end_before())?;
        }
    }

    /// Reads what stands behind a dot: a member or a method.
    fn dotted(&mut self, base: Ast) -> Result<Kind, Problem> {
        let word = self.member()?;
        if self.take("(") {
            let arguments = self.arguments(")")?;
            return Ok(Kind::Call(Some(Box::new(base)), word, arguments));
        }
        Ok(Kind::Member(Box::new(base), word))
    }

    fn primary(&mut self) -> Result<Ast, Problem> {
        let token = self.tokens[self.place].clone();
        let kind = match token.kind {
            Lexeme::Number(number) => Kind::Literal(Value::Number(number)),
            Lexeme::Text(text) => Kind::Literal(Value::Text(text)),
            Lexeme::Word(word) => return self.word(word, token.span),
            Lexeme::Sign("(") => return self.group(),
            Lexeme::Sign("[") => {
                self.place += 1;
                Kind::List(self.arguments("]")?)
            }
            Lexeme::Sign("{") => {
                self.place += 1;
                Kind::Map(self.pairs()?)
            }
            Lexeme::Sign(_) | Lexeme::End => return Err(self.no_value()),
        };
        if matches!(kind, Kind::Literal(_)) {
            self.place += 1;
        }
        self.node(kind, token.span.start..self.end_before())
    }

    fn group(&mut self) -> Result<Ast, Problem> {
        let open = self.span();
        self.place += 1;
        let inner = self.expression()?;
        if self.kind() == &Lexeme::End {
            let problem = Problem::syntax(open, "the parenthesis is not closed");
            return Err(problem.help("add a `)` where it ends"));
        }
        self.expect(")", "add a `)` where the parenthesis ends")?;
        Ok(inner)
    }

    fn word(&mut self, word: Arc<str>, span: Range<usize>) -> Result<Ast, Problem> {
        self.place += 1;
        let constant = match word.as_ref() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            "null" => Some(Value::Null),
            "in" => return Err(Problem::syntax(span, "`in` needs a value on its left")),
            _ => None,
        };
        if let Some(value) = constant {
            return self.node(Kind::Literal(value), span);
        }
        if self.take("(") {
            let arguments = self.arguments(")")?;
            let end = self.end_before();
            let start = span.start;
            let kind = Kind::Call(None, Word { text: word, span }, arguments);
            return self.node(kind, start..end);
        }
        if let Some(problem) = foreign_prefix(&word, &span, self.kind()) {
            return Err(problem);
        }
        self.node(Kind::Name(word), span)
    }

    fn member(&mut self) -> Result<Word, Problem> {
        let span = self.span();
        if let Lexeme::Word(text) = self.kind() {
            let text = text.clone();
            self.place += 1;
            return Ok(Word { text, span });
        }
        let problem = Problem::syntax(span, "a name is missing behind the `.`");
        Err(problem.help(
            "write `profile.traits.name`; a name with other signs is written `traits['a b']`",
        ))
    }

    /// Reads values up to a closing sign; a comma before it is allowed.
    fn arguments(&mut self, close: &'static str) -> Result<Vec<Ast>, Problem> {
        let mut values = Vec::new();
        while !self.take(close) {
            values.push(self.expression()?);
            if !self.take(",") && !self.is(close) {
                return Err(self.not_closed(close));
            }
        }
        Ok(values)
    }

    fn pairs(&mut self) -> Result<Vec<(Ast, Ast)>, Problem> {
        let mut pairs = Vec::new();
        while !self.take("}") {
            let key = self.expression()?;
            self.expect(":", "write `{'key': value}`")?;
            pairs.push((key, self.expression()?));
            if !self.take(",") && !self.is("}") {
                return Err(self.not_closed("}"));
            }
        }
        Ok(pairs)
    }

    fn node(&mut self, kind: Kind, span: Range<usize>) -> Result<Ast, Problem> {
        self.n_nodes += 1;
        if self.n_nodes <= NODES_MAX {
            return Ok(Ast { kind, span });
        }
        let message = format!("the expression has more than {NODES_MAX} parts");
        Err(Problem::new("expression_too_large", span, message)
            .help("split it into a list of conditions, or use `in [...]`"))
    }

    fn deeper(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth <= DEPTH_MAX {
            return Ok(());
        }
        let message = format!("the expression is nested deeper than {DEPTH_MAX} levels");
        Err(Problem::new("expression_too_large", self.span(), message))
    }

    fn kind(&self) -> &Lexeme {
        &self.tokens[self.place].kind
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.place].span.clone()
    }

    fn end_before(&self) -> usize {
        self.tokens[self.place.saturating_sub(1)].span.end
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.kind(), Lexeme::Sign(found) if *found == sign)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.place += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str, help: &str) -> Result<(), Problem> {
        if self.take(sign) {
            return Ok(());
        }
        if self.kind() != &Lexeme::End {
            let problem = self.unexpected_after();
            if problem.help.is_some() {
                return Err(problem);
            }
        }
        Err(Problem::syntax(self.span(), format!("a `{sign}` is missing")).help(help))
    }

    fn not_closed(&self, close: &str) -> Problem {
        let problem = self.unexpected_after();
        if self.kind() != &Lexeme::End && problem.help.is_some() {
            return problem;
        }
        let message = format!("a `,` or the closing `{close}` is missing");
        Problem::syntax(self.span(), message).help(format!("add a `{close}` where it ends"))
    }

    fn no_value(&self) -> Problem {
        let span = self.span();
        match self.kind() {
            Lexeme::End => Problem::syntax(span, "the expression ends where a value is missing")
                .help("an operator needs a value on both sides"),
            Lexeme::Sign(sign) => {
                Problem::syntax(span, format!("a value is missing before `{sign}`"))
            }
            Lexeme::Number(_) | Lexeme::Text(_) | Lexeme::Word(_) => {
                Problem::syntax(span, "a value is missing")
            }
        }
    }

    /// Says what should not stand behind a whole value.
    fn unexpected_after(&self) -> Problem {
        let span = self.span();
        match self.kind() {
            Lexeme::Word(word) => {
                let problem =
                    Problem::syntax(span, format!("an operator is missing before `{word}`"));
                match foreign_operator(word) {
                    Some(help) => problem.help(help),
                    None => problem,
                }
            }
            Lexeme::Sign(sign @ (")" | "]" | "}")) => {
                Problem::syntax(span, format!("`{sign}` closes nothing"))
                    .help("remove it, or open it where it begins")
            }
            Lexeme::Sign(sign) => Problem::syntax(span, format!("`{sign}` cannot stand here")),
            Lexeme::Number(_) | Lexeme::Text(_) => {
                Problem::syntax(span, "an operator is missing before this value")
            }
            Lexeme::End => Problem::syntax(span, "the expression ends too early"),
        }
    }
}

/// The binding power of comparisons, which do not chain.
const COMPARES: u8 = 3;

/// Text, operator, binding power.
const OPERATORS: [(&str, Op, u8); 14] = [
    ("||", Op::Or, 1),
    ("&&", Op::And, 2),
    ("==", Op::Eq, COMPARES),
    ("!=", Op::Ne, COMPARES),
    ("<", Op::Lt, COMPARES),
    ("<=", Op::Le, COMPARES),
    (">", Op::Gt, COMPARES),
    (">=", Op::Ge, COMPARES),
    ("in", Op::In, COMPARES),
    ("+", Op::Add, 4),
    ("-", Op::Sub, 4),
    ("*", Op::Mul, 5),
    ("/", Op::Div, 5),
    ("%", Op::Rem, 5),
];

/// Recognizes words that are operators elsewhere.
fn foreign_operator(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "and" => Some("use `&&`"),
        "or" => Some("use `||`"),
        "is" | "equals" | "eq" => Some("use `==`"),
        "not" => Some("write `!(a in b)` or `a != b`"),
        "contains" | "startswith" | "endswith" | "matches" => {
            Some("write it as a method: `a.contains(b)`")
        }
        "mod" => Some("use `%`"),
        "if" | "then" | "else" => Some("write `condition ? value : other`"),
        _ => None,
    }
}

/// Recognizes `not x` and `if x`.
fn foreign_prefix(word: &str, span: &Range<usize>, next: &Lexeme) -> Option<Problem> {
    if !matches!(next, Lexeme::Word(_) | Lexeme::Number(_) | Lexeme::Text(_)) {
        return None;
    }
    let help = match word.to_lowercase().as_str() {
        "not" => "use `!`",
        "if" => "write `condition ? value : other`",
        _ => return None,
    };
    Some(Problem::syntax(span.clone(), format!("`{word}` is no operator")).help(help))
}
