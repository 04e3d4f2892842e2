//! From scores to probabilities: what is said at 0.9 is right nine times in ten on examples that were left out.

/// How the scores of one fact's answers become probabilities: the softmax of `scale * score + shift`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Calibration {
    /// How much a score counts.
    pub scale: f64,
    /// What is added for each answer; the first, "says nothing", has none.
    pub shifts: Vec<f64>,
}

impl Calibration {
    /// The probability of each answer; they sum to 1.
    pub(super) fn probabilities(&self, scores: impl Iterator<Item = f64>) -> Vec<f64> {
        let raised: Vec<f64> = scores.zip(&self.shifts).map(|(score, shift)| self.scale * score + shift).collect();
        let highest = raised.iter().copied().fold(f64::MIN, f64::max);
        let mut shares: Vec<f64> = raised.into_iter().map(|score| (score - highest).exp()).collect();
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= sum);
        shares
    }

    /// The calibration under which the right answers are likeliest; `rows` are scores and which answer is right.
    ///
    /// By Newton's method, for it has one number for each answer; the result is rounded, so that machines whose
    /// exponential differs in its last digit agree.
    pub(super) fn fit(rows: &[(Vec<f64>, usize)], answers: usize) -> Calibration {
        let mut now = Calibration { scale: 3.0, shifts: vec![0.0; answers] };
        let mut best = now.loss(rows);
        for _ in 0..STEPS {
            let Some(step) = now.newton(rows) else { break };
            let mut length = 1.0;
            let mut better = None;
            while better.is_none() && length > 1e-3 {
                let next = now.moved(&step, length);
                let loss = next.loss(rows);
                if loss < best {
                    better = Some((next, loss));
                }
                length /= 2.0;
            }
            let Some((next, loss)) = better else { break };
            let gain = best - loss;
            (now, best) = (next, loss);
            if gain < 1e-9 {
                break;
            }
        }
        let rounded = |value: f64| (value * 1e4).round() / 1e4;
        Calibration { scale: rounded(now.scale), shifts: now.shifts.into_iter().map(rounded).collect() }
    }

    /// The mean negative log likelihood, and a little for each shift, so that an answer without examples has a finite one.
    fn loss(&self, rows: &[(Vec<f64>, usize)]) -> f64 {
        let one = |(scores, right): &(Vec<f64>, usize)| {
            -self.probabilities(scores.iter().copied()).get(*right).copied().unwrap_or(1.0).max(1e-12).ln()
        };
        let count = rows.len().max(1);
        let prior: f64 = self.shifts.iter().map(|shift| PRIOR * shift * shift).sum();
        rows.iter().map(one).sum::<f64>() / f64_of(count) + prior
    }

    /// The step to take: the gradient by the inverse of the Hessian.
    fn newton(&self, rows: &[(Vec<f64>, usize)]) -> Option<Vec<f64>> {
        let size = self.shifts.len(); // The scale, and every shift but the first.
        let mut gradient = vec![0.0; size];
        let mut hessian = vec![vec![0.0; size]; size];
        for (scores, right) in rows {
            let shares = self.probabilities(scores.iter().copied());
            let mean: f64 = shares.iter().zip(scores).map(|(share, score)| share * score).sum();
            // How the raised scores move with each parameter, less its mean.
            for (answer, (share, score)) in shares.iter().zip(scores).enumerate() {
                let miss = share - if answer == *right { 1.0 } else { 0.0 };
                if let Some(first) = gradient.first_mut() {
                    *first += miss * score;
                }
                if let Some(slot) = gradient.get_mut(answer).filter(|_| answer > 0) {
                    *slot += miss;
                }
                let around = score - mean;
                add(&mut hessian, 0, 0, share * around * around);
                if answer > 0 {
                    add(&mut hessian, 0, answer, share * around);
                    add(&mut hessian, answer, 0, share * around);
                    for (other, other_share) in shares.iter().enumerate().skip(1) {
                        let own = if other == answer { *share } else { 0.0 };
                        add(&mut hessian, answer, other, own - share * other_share);
                    }
                }
            }
        }
        let count = f64_of(rows.len().max(1));
        for (index, line) in hessian.iter_mut().enumerate() {
            line.iter_mut().for_each(|cell| *cell /= count);
            let prior = if index == 0 { 1e-9 } else { 2.0 * PRIOR };
            if let Some(cell) = line.get_mut(index) {
                *cell += prior;
            }
            if let (Some(slot), shift) = (gradient.get_mut(index), self.shifts.get(index).copied().unwrap_or(0.0)) {
                *slot = *slot / count + if index == 0 { 0.0 } else { 2.0 * PRIOR * shift };
            }
        }
        solve(hessian, gradient)
    }

    fn moved(&self, step: &[f64], length: f64) -> Calibration {
        let by = |index: usize| length * step.get(index).copied().unwrap_or(0.0);
        let shifts = self.shifts.iter().enumerate().map(|(at, shift)| if at == 0 { 0.0 } else { shift - by(at) });
        Calibration { scale: (self.scale - by(0)).max(0.1), shifts: shifts.collect() }
    }
}

const STEPS: usize = 30;

/// How much a shift costs.
const PRIOR: f64 = 1e-3;

fn add(matrix: &mut [Vec<f64>], row: usize, column: usize, value: f64) {
    if let Some(cell) = matrix.get_mut(row).and_then(|line| line.get_mut(column)) {
        *cell += value;
    }
}

/// Solves a small system of equations; none where it has no single solution.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for column in 0..size {
        let line = matrix.get(column)?.clone();
        let pivot = line.get(column).copied().filter(|pivot| pivot.abs() > 1e-14)?; // Positive definite: no need to swap.
        let value = *right.get(column)?;
        for row in (0..size).filter(|&row| row != column) {
            let factor = matrix.get(row)?.get(column)? / pivot;
            matrix.get_mut(row)?.iter_mut().zip(&line).for_each(|(cell, own)| *cell -= factor * own);
            *right.get_mut(row)? -= factor * value;
        }
    }
    right.iter().enumerate().map(|(row, value)| Some(value / matrix.get(row)?.get(row)?)).collect()
}

/// A count as a number to divide by.
pub(super) fn f64_of(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
