use std::fmt;

/// One value that a run logs: mostly a number.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MetricValue {
    /// A number. NaN and the infinities are legal.
    Double(f64),
    /// A whole number.
    Integer(i64),
    /// The digits of a whole number that 64 bits cannot hold.
    BigInteger(String),
    /// Text.
    Text(String),
    /// True or false.
    Bool(bool),
    /// The address of an artifact, for example that of an image.
    Artifact(String),
    /// No value.
    Empty,
}

impl MetricValue {
    /// The number that it is, the nearest one if there is none like it. Text,
    /// truth and artifacts are no numbers.
    #[expect(clippy::cast_precision_loss, reason = "the nearest number is what is promised")]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Double(value) => Some(*value),
            Self::Integer(value) => Some(*value as f64),
            Self::BigInteger(digits) => digits.parse().ok(),
            Self::Text(_) | Self::Bool(_) | Self::Artifact(_) | Self::Empty => None,
        }
    }

    /// The whole number that it is, if 64 bits can hold it.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The text that it is.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Artifact(text) => Some(text),
            _ => None,
        }
    }

    /// The service's word for its type.
    pub(crate) fn type_word(&self) -> &'static str {
        match self {
            Self::Double(_) => "double",
            Self::Integer(_) | Self::BigInteger(_) => "int",
            Self::Text(_) => "string",
            Self::Bool(_) => "bool",
            Self::Artifact(_) => "Artifact",
            Self::Empty => "none",
        }
    }
}

impl fmt::Display for MetricValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Double(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::BigInteger(text) | Self::Text(text) | Self::Artifact(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Empty => Ok(()),
        }
    }
}

macro_rules! from {
    ($($kind:ty => $variant:ident),*) => {$(
        impl From<$kind> for MetricValue {
            fn from(value: $kind) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from!(f64 => Double, f32 => Double, i64 => Integer, i32 => Integer, i16 => Integer, i8 => Integer);
from!(u32 => Integer, u16 => Integer, u8 => Integer, bool => Bool, String => Text, &str => Text);

impl From<u64> for MetricValue {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or_else(|_| Self::BigInteger(value.to_string()), Self::Integer)
    }
}

impl From<usize> for MetricValue {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_type() {
        assert_eq!(MetricValue::from(7), MetricValue::Integer(7));
        assert_eq!(MetricValue::from(0.5), MetricValue::Double(0.5));
        assert_eq!(MetricValue::from("a"), MetricValue::Text("a".to_owned()));
        assert_eq!(MetricValue::from(true), MetricValue::Bool(true));
        let big = MetricValue::from(u64::MAX);
        assert_eq!(big, MetricValue::BigInteger("18446744073709551615".to_owned()));
        assert_eq!(big.as_f64(), Some(18_446_744_073_709_551_615.0));
        assert_eq!(MetricValue::from(true).as_f64(), None);
    }
}
