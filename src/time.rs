//! Times as users write them.

use std::time::Duration;

/// Reads `90`, `90s`, `10m`, `2h`.
pub fn parse(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((i, 's')) => (&text[..i], 1.0),
        Some((i, 'm')) => (&text[..i], 60.0),
        Some((i, 'h')) => (&text[..i], 3600.0),
        _ => (text, 1.0),
    };
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n * unit < 1e9 => Ok(Duration::from_secs_f64(n * unit)),
        _ => Err(format!("'{text}' is no time; write 90, 90s, 10m or 2h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_minutes_and_hours() {
        for (text, seconds) in [("90", 90.0), ("1.5s", 1.5), ("10m", 600.0), ("2h", 7200.0)] {
            assert_eq!(parse(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "s", "-1s", "0", "1d", "nan", "inf", "1e9h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
