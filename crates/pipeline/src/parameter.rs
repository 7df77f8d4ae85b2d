//! Values that a step is given, and values that are only known at submission.

use std::fmt;

use azml_core::string_id;

string_id! {
    /// Names a parameter of a pipeline.
    ParameterName
}

/// A value of one of the four types that pipeline parameters may have.
///
/// The service stores all of them as text, written as Python writes them:
/// `True`, `100.0`, `1e-05`. That text is what [`Display`](fmt::Display) gives.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParameterValue {
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Float(f64),
    /// A truth value.
    Boolean(bool),
    /// Text.
    Text(String),
}

impl ParameterValue {
    /// The type's name as Python has it: `int`, `float`, `bool` or `str`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Integer(_) => "int",
            Self::Float(_) => "float",
            Self::Boolean(_) => "bool",
            Self::Text(_) => "str",
        }
    }
}

impl fmt::Display for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => f.write_str(&python_float(*value)),
            Self::Boolean(true) => f.write_str("True"),
            Self::Boolean(false) => f.write_str("False"),
            Self::Text(value) => f.write_str(value),
        }
    }
}

/// Writes a float as Python's `str()` does: the shortest digits that read back
/// equal, with an exponent below 1e-4 and from 1e16 on.
fn python_float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

impl From<i64> for ParameterValue {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for ParameterValue {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for ParameterValue {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for ParameterValue {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&str> for ParameterValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for ParameterValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// A value that can be chosen anew at each submission of a pipeline.
///
/// Declare it with [`Pipeline::with_parameter`](crate::Pipeline::with_parameter)
/// and hand `&parameter` to the steps that use it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PipelineParameter {
    /// How steps and submissions refer to it.
    pub name: ParameterName,
    /// What holds when a submission says nothing. Also fixes the type.
    pub default: ParameterValue,
}

impl PipelineParameter {
    /// A parameter with the type of its default.
    pub fn new(name: impl Into<ParameterName>, default: impl Into<ParameterValue>) -> Self {
        Self { name: name.into(), default: default.into() }
    }
}

/// What a step is given: a fixed value or a parameter of its pipeline.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Argument {
    /// The same at every submission.
    Value(ParameterValue),
    /// Whatever the parameter of this name has at submission.
    Parameter(ParameterName),
}

impl<T: Into<ParameterValue>> From<T> for Argument {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}

impl From<&PipelineParameter> for Argument {
    fn from(parameter: &PipelineParameter) -> Self {
        Self::Parameter(parameter.name.clone())
    }
}

impl From<ParameterName> for Argument {
    fn from(name: ParameterName) -> Self {
        Self::Parameter(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_python_writes_them() {
        let cases: [(ParameterValue, &str); 11] = [
            (true.into(), "True"),
            (false.into(), "False"),
            (3.into(), "3"),
            (100.0.into(), "100.0"),
            ((-0.0).into(), "-0.0"),
            (0.0001.into(), "0.0001"),
            (1e-5.into(), "1e-05"),
            (1e15.into(), "1000000000000000.0"),
            (1e16.into(), "1e+16"),
            (1.5e-10.into(), "1.5e-10"),
            ("a|b".into(), "a|b"),
        ];
        for (value, text) in cases {
            assert_eq!(value.to_string(), text);
        }
    }
}
