//! Adaptive integration: where a function turns, it is looked at more closely.

/// Nodes and weights of Gauss and Kronrod with 7 and 15 points on `[-1, 1]`: the positive half and the middle (Piessens et al.,
/// QUADPACK, 1983); the weight of Gauss is 0 where only Kronrod looks.
const NODES: [(f64, f64, f64); 8] = [
    (0.991_455_371_120_812_6, 0.022_935_322_010_529_224, 0.0),
    (
        0.949_107_912_342_758_5,
        0.063_092_092_629_978_56,
        0.129_484_966_168_869_7,
    ),
    (0.864_864_423_359_769_1, 0.104_790_010_322_250_18, 0.0),
    (
        0.741_531_185_599_394_4,
        0.140_653_259_715_525_92,
        0.279_705_391_489_276_64,
    ),
    (0.586_087_235_467_691_1, 0.169_004_726_639_267_9, 0.0),
    (
        0.405_845_151_377_397_2,
        0.190_350_578_064_785_42,
        0.381_830_050_505_118_9,
    ),
    (0.207_784_955_007_898_47, 0.204_432_940_075_298_89, 0.0),
    (0.0, 0.209_482_141_084_727_82, 0.417_959_183_673_469_4),
];

/// A part of an interval.
struct Part {
    low: f64,
    high: f64,
    sum: f64,
    /// By how much both rules differ: far more than what the finer one is off.
    doubt: f64,
}

/// Integrates a function over the parts between edges in order, halving the most doubtful part until the doubt is below a share of
/// the whole, or there are so many parts.
pub fn integral(edges: &[f64], doubt: f64, parts_max: usize, of: impl Fn(f64) -> f64) -> f64 {
    let part = |low: f64, high: f64| {
        let (mid, half) = (low.midpoint(high), 0.5 * (high - low));
        let (mut fine, mut coarse) = (0.0, 0.0);
        for (node, kronrod, gauss) in NODES {
            let at = if node == 0.0 {
                of(mid)
            } else {
                of(mid - half * node) + of(mid + half * node)
            };
            fine += kronrod * at;
            coarse += gauss * at;
        }
        Part {
            low,
            high,
            sum: half * fine,
            doubt: (half * (fine - coarse)).abs(),
        }
    };
    let spans = edges.windows(2).map(|span| part(span[0], span[1]));
    let mut parts: Vec<Part> = spans.collect();
    loop {
        let whole: f64 = parts.iter().map(|of| of.sum).sum();
        let all: f64 = parts.iter().map(|of| of.doubt).sum();
        let by_doubt = |a: &usize, b: &usize| parts[*a].doubt.total_cmp(&parts[*b].doubt);
        let worst = (0..parts.len()).max_by(by_doubt);
        let Some(worst) = worst.filter(|_| all > doubt * whole && parts.len() < parts_max) else {
            return whole;
        };
        let Part { low, high, .. } = parts.swap_remove(worst);
        let mid = low.midpoint(high);
        parts.push(part(low, mid));
        parts.push(part(mid, high));
    }
}
