//! Ridge regression in closed form, with what each example would have been scored had it been left out.
//!
//! With the Gram matrix `K` of the examples' vectors and `G = K + λI`, the weights of the examples are `A = G⁻¹Y`, and the
//! score of example `i` by a model that never saw it is `yᵢ − aᵢ / (G⁻¹)ᵢᵢ` (Rifkin and Lippert, 2007). So one
//! factorisation gives every model, and cross-validates it on every example: nothing is drawn by lot and nothing iterates.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

/// What was fitted to examples.
pub(super) struct Fit {
    /// How much each example weighs in each score: a row an example, a column a score.
    pub weights: Array2<f64>,
    /// Each example's scores by a model without it.
    pub left_out: Array2<f64>,
}

/// Fits a score for each column of `targets` to examples with this Gram matrix; `ridge` is λ, above 0.
pub(super) fn fit(mut gram: Array2<f64>, targets: &Array2<f64>, ridge: f64) -> Fit {
    gram.diag_mut().mapv_inplace(|own| own + ridge);
    let mut inverse = Array2::zeros(gram.dim());
    inverse_factor(gram.view_mut(), inverse.view_mut());
    // G⁻¹ = L⁻ᵀL⁻¹, where the inverse of the lower factor is at hand.
    let half = product(inverse.view(), targets.view());
    let weights = product(inverse.t(), half.view());
    let own: Vec<f64> = inverse.columns().into_iter().map(|column| column.dot(&column)).collect();
    let mut left_out = targets.clone();
    for ((mut score, weight), own) in left_out.axis_iter_mut(Axis(0)).zip(weights.axis_iter(Axis(0))).zip(own) {
        score.zip_mut_with(&weight, |score, weight| *score -= weight / own);
    }
    Fit { weights, left_out }
}

/// The product of two matrices.
pub(super) fn product(first: ArrayView2<'_, f64>, second: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut out = Array2::zeros((first.nrows(), second.ncols()));
    general_mat_mul(1.0, &first, &second, 0.0, &mut out);
    out
}

/// Below this many rows the plain way is as fast.
const SMALL: usize = 24;

/// Writes the inverse of the lower Cholesky factor of a positive definite matrix, which is used up; by halves, so that nearly
/// all of the work is products of large matrices.
fn inverse_factor(mut matrix: ArrayViewMut2<'_, f64>, mut inverse: ArrayViewMut2<'_, f64>) {
    let half = matrix.nrows() / 2;
    if matrix.nrows() <= SMALL {
        let factor = lower_factor(&matrix.view());
        invert_lower(&factor, &mut inverse);
        return;
    }
    let [upper, _, left, right] = quarters(matrix.view_mut(), half);
    let [mut upper_inverse, _, crossing, mut right_inverse] = quarters(inverse.view_mut(), half);
    inverse_factor(upper, upper_inverse.view_mut());
    // The lower left block of the factor, and what it leaves of the lower right one.
    let below = product(left.view(), upper_inverse.t());
    let mut right = right;
    general_mat_mul(-1.0, &below, &below.t(), 1.0, &mut right);
    inverse_factor(right, right_inverse.view_mut());
    let mut crossing = crossing;
    let between = product(below.view(), upper_inverse.view());
    general_mat_mul(-1.0, &right_inverse, &between, 0.0, &mut crossing);
}

/// A square matrix cut in four: upper left, upper right, lower left, lower right.
fn quarters(matrix: ArrayViewMut2<'_, f64>, half: usize) -> [ArrayViewMut2<'_, f64>; 4] {
    let (upper, lower) = matrix.split_at(Axis(0), half);
    let (upper_left, upper_right) = upper.split_at(Axis(1), half);
    let (lower_left, lower_right) = lower.split_at(Axis(1), half);
    [upper_left, upper_right, lower_left, lower_right]
}

/// The lower Cholesky factor of a small matrix, row by row.
fn lower_factor(matrix: &ArrayView2<'_, f64>) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for line in matrix.rows() {
        let mut row: Vec<f64> = Vec::new();
        for (above, value) in rows.iter().zip(line) {
            let known: f64 = row.iter().zip(above).map(|(own, other)| own * other).sum();
            row.push((value - known) / above.last().copied().unwrap_or(1.0));
        }
        let known: f64 = row.iter().map(|own| own * own).sum();
        let own = line.get(rows.len()).copied().unwrap_or(1.0);
        row.push((own - known).max(f64::MIN_POSITIVE).sqrt());
        rows.push(row);
    }
    rows
}

/// Writes the inverse of a small lower matrix.
fn invert_lower(factor: &[Vec<f64>], inverse: &mut ArrayViewMut2<'_, f64>) {
    for (column, mut cells) in inverse.columns_mut().into_iter().enumerate() {
        let mut above: Vec<f64> = Vec::new(); // This column of the inverse so far.
        for (index, row) in factor.iter().enumerate() {
            let known: f64 = row.iter().zip(&above).map(|(own, other)| own * other).sum();
            let start = if index == column { 1.0 } else { 0.0 };
            above.push((start - known) / row.last().copied().unwrap_or(1.0));
        }
        cells.iter_mut().zip(above).for_each(|(cell, value)| *cell = value);
    }
}
