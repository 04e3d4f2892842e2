//! The outlines of nodes: how large one must be for its words, how it is drawn, and where a line meets it.

/// The outline of a node; what Mermaid has besides is drawn as a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Box,
    Rounded,
    Stadium,
    Subroutine,
    Diamond,
    Hexagon,
    Circle,
}

/// Room between words and outline, pixels.
const PAD: (f64, f64) = (18.0, 14.0);

impl Shape {
    /// The outline by Mermaid's name of it.
    pub(super) fn named(name: &str) -> Shape {
        match name {
            "rounded" | "roundedRect" | "round" | "event" => Shape::Rounded,
            "stadium" | "pill" | "terminal" => Shape::Stadium,
            "subroutine" | "fr-rect" | "subprocess" | "framed-rectangle" => Shape::Subroutine,
            "diamond" | "diam" | "decision" | "question" | "rhombus" => Shape::Diamond,
            "hexagon" | "hex" | "prepare" => Shape::Hexagon,
            "circle" | "circ" | "doublecircle" | "dbl-circ" => Shape::Circle,
            _ => Shape::Box,
        }
    }

    /// How wide and high it is around words of this size.
    pub(super) fn around(self, (width, height): (f64, f64)) -> (f64, f64) {
        let (wide, high) = (width + 2.0 * PAD.0, height + 2.0 * PAD.1);
        match self {
            Shape::Box | Shape::Rounded => (wide, high),
            Shape::Subroutine => (wide + 16.0, high),
            Shape::Stadium | Shape::Hexagon => (wide + high / 2.0, high),
            // A rectangle lies in a rhombus where both halves of its sides sum up to the whole.
            Shape::Diamond => (1.6 * (width + 12.0), (height + 8.0) * 1.6 / 0.6),
            Shape::Circle => {
                let across = (width * width + height * height).sqrt() + 16.0;
                (across, across)
            }
        }
    }

    /// The element that draws it around the origin.
    pub(super) fn outline(self, width: f64, height: f64) -> String {
        let (x, y) = (width / 2.0, height / 2.0);
        let rect = |radius: f64| {
            format!(
                "<rect class=\"outline\" x=\"{:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{radius:.1}\"/>",
                -x, -y
            )
        };
        match self {
            Shape::Box => rect(2.0),
            Shape::Rounded => rect(10.0),
            Shape::Stadium => rect(y),
            Shape::Subroutine => {
                let (left, right) = (8.0 - x, x - 8.0);
                format!(
                    "{}<path class=\"outline\" d=\"M{left:.1},{:.1}V{y:.1}M{right:.1},{:.1}V{y:.1}\"/>",
                    rect(2.0),
                    -y,
                    -y
                )
            }
            Shape::Diamond => {
                format!("<polygon class=\"outline\" points=\"0,{:.1} {x:.1},0 0,{y:.1} {:.1},0\"/>", -y, -x)
            }
            Shape::Hexagon => {
                let slant = x - y / 2.0;
                format!(
                    "<polygon class=\"outline\" points=\"{:.1},{:.1} {slant:.1},{:.1} {x:.1},0 {slant:.1},{y:.1} {:.1},{y:.1} {:.1},0\"/>",
                    -slant, -y, -y, -slant, -x
                )
            }
            Shape::Circle => format!("<circle class=\"outline\" r=\"{x:.1}\"/>"),
        }
    }

    /// Where a line from the middle towards a point leaves it, both seen from the middle.
    pub(super) fn border(self, (width, height): (f64, f64), (dx, dy): (f64, f64)) -> (f64, f64) {
        let (x, y) = (width / 2.0, height / 2.0);
        let reach = match self {
            Shape::Diamond => dx.abs() / x + dy.abs() / y,
            Shape::Circle => (dx * dx + dy * dy).sqrt() / x,
            Shape::Box | Shape::Rounded | Shape::Stadium | Shape::Subroutine | Shape::Hexagon => {
                (dx.abs() / x).max(dy.abs() / y)
            }
        };
        if reach < 1e-6 { (0.0, y) } else { (dx / reach, dy / reach) }
    }
}
