//! Places values in a drawing. It is as wide as the page lets it: places are per cent, so that lines
//! stretch and letters do not.

use maud::{Markup, html};

/// Returns whether a value can be drawn: JSON from outside may hold anything.
pub(super) fn is_drawable(value: f64) -> bool {
    value.is_finite() && value.abs() < 1e12
}

/// Maps values to per cent of a drawing's width or height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    log: bool,
}

impl Scale {
    /// Goes from zero to a little above the greatest value.
    pub(super) fn from_zero(values: impl IntoIterator<Item = f64>) -> Self {
        let high = values.into_iter().filter(|value| is_drawable(*value)).fold(0.0, f64::max);
        Self { low: 0.0, high: if high > 0.0 { high * 1.05 } else { 1.0 }, log: false }
    }

    /// Goes from the smallest value to the greatest; logarithmic if the one is 30 times the other.
    pub(super) fn around(values: &[f64]) -> Self {
        let drawable = || values.iter().copied().filter(|value| is_drawable(*value));
        let high = drawable().fold(f64::NEG_INFINITY, f64::max);
        let low = drawable().fold(f64::INFINITY, f64::min);
        // Zero has no logarithm: it stands at the smallest time that is more, or a 10,000th of all.
        let least = drawable().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        let least = least.max(high / 10_000.0);
        if high / least >= 30.0 {
            Self { low: least, high, log: true }
        } else if low < high {
            Self { low, high, log: false }
        } else {
            let middle = if low.is_finite() { low } else { 0.0 };
            let around = (middle.abs() * 0.05).max(0.01);
            Self { low: middle - around, high: middle + around, log: false }
        }
    }

    /// Returns whether it is logarithmic.
    pub(super) fn is_log(&self) -> bool {
        self.log
    }

    /// Returns where a value stands, per cent; what lies outside stands at the edge.
    pub(super) fn place(&self, value: f64) -> f64 {
        let part = if self.log {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        100.0 * part.clamp(0.0, 1.0)
    }

    /// Returns round values, at most about so many.
    pub(super) fn ticks(&self, most: u32) -> Vec<f64> {
        let inside = |value: &f64| (self.low..=self.high).contains(value);
        if self.log {
            let decades = (self.high / self.low).log10();
            let parts: &[f64] = if decades < 2.0 { &[1.0, 3.0] } else { &[1.0] };
            let first = self.low.log10().floor();
            let tens = (0..=16_u32).map(|power| 10_f64.powf(first + f64::from(power)));
            let all = tens.flat_map(|ten| parts.iter().map(move |part| part * ten));
            return all.filter(inside).collect();
        }
        let range = self.high - self.low;
        let ten = 10_f64.powf((range / f64::from(most)).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|part| part * ten);
        let wide = |step: &f64| range / step <= f64::from(most);
        let step = steps.into_iter().find(wide).unwrap_or(10.0 * ten);
        let first = (self.low / step).ceil();
        (0..=most).map(|number| (first + f64::from(number)) * step).filter(inside).collect()
    }
}

/// Draws marks below a drawing of this height.
pub(super) fn marks_below(scale: Scale, most: u32, height: u32) -> Markup {
    html! {
        @for tick in scale.ticks(most) {
            @let x = scale.place(tick);
            @let anchor = if x < 6.0 { "start" } else if x > 94.0 { "end" } else { "middle" };
            line.grid x1=(per_cent(x)) x2=(per_cent(x)) y1="0" y2=(height + 4) {}
            text x=(per_cent(x)) y=(height + 17) text-anchor=(anchor) { (plain(tick)) }
        }
    }
}

/// Draws marks to the left of a drawing.
pub(super) fn marks_beside(scale: Scale, most: u32) -> Markup {
    html! {
        @for tick in scale.ticks(most) {
            @let y = per_cent(100.0 - scale.place(tick));
            line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
            text x="-6" y=(y) dy="4" text-anchor="end" { (plain(tick)) }
        }
    }
}

/// Draws a line through points, both per cent, from the left bottom.
pub(super) fn polyline(class: &str, points: &[(f64, f64)]) -> Markup {
    let points: Vec<String> =
        points.iter().map(|(x, y)| format!("{x:.2},{:.2}", 100.0 - y)).collect();
    html! {
        svg width="100%" height="100%" viewBox="0 0 100 100" preserveAspectRatio="none" {
            polyline.line.(class) points=(points.join(" ")) {}
        }
    }
}

/// Writes a place.
pub(super) fn per_cent(place: f64) -> String {
    format!("{place:.2}%")
}

/// Writes a round value.
fn plain(value: f64) -> String {
    // Sums of steps such as 0.1 are a little off.
    let rounded = (value * 1e6).round() / 1e6;
    format!("{rounded}")
}

/// Writes milliseconds for a table in whose head the unit stands.
pub(super) fn bare(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => "–".to_owned(),
        size if size < 9.995 => format!("{value:.2}"),
        size if size < 99.95 => format!("{value:.1}"),
        size if size < 1e9 => format!("{value:.0}"),
        _ => format!("{value:.2e}"),
    }
}

/// Writes milliseconds with their unit: seconds, if there are many.
pub(super) fn time(ms: f64) -> String {
    if ms.abs() < 9999.5 { format!("{} ms", bare(ms)) } else { format!("{} s", bare(ms / 1000.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(Scale::from_zero([940.0]).ticks(5), [0.0, 200.0, 400.0, 600.0, 800.0]);
        assert_eq!(Scale::around(&[3.1, 4.2]).ticks(4), [3.5, 4.0]);
        assert_eq!(Scale::around(&[0.5, 3000.0]).ticks(4), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(Scale::around(&[2.0, 70.0]).ticks(4), [3.0, 10.0, 30.0]);
    }

    #[test]
    fn every_scale_places_every_value_inside() {
        let odd = [f64::NAN, f64::INFINITY, -5.0, 0.0, 1e-300, 1.0, 1e11, 1e300];
        for low in odd {
            for high in odd {
                for scale in [Scale::around(&[low, high]), Scale::from_zero([low, high])] {
                    assert!(scale.ticks(5).len() <= 34, "{scale:?}");
                    for value in odd.into_iter().filter(|value| is_drawable(*value)) {
                        let place = scale.place(value);
                        assert!(
                            (0.0..=100.0).contains(&place),
                            "{scale:?} puts {value} at {place}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn times_are_short() {
        for (ms, expected) in [
            (0.0421, "0.04 ms"),
            (9.999, "10.0 ms"),
            (412.4, "412 ms"),
            (12_345.0, "12.3 s"),
            (1e300, "1.00e297 s"),
            (f64::NAN, "– s"),
        ] {
            assert_eq!(time(ms), expected);
        }
    }
}
