//! Which types of distributions and functions each reader has, and under which name.

use super::target::Target;

/// Whether a reader has a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Support {
    As(&'static str),
    No,
}

/// The type, ROOT 6.40's name for it, pyhs3 0.4.2's; none where it has none of the same meaning.
type Row = (&'static str, Option<&'static str>, Option<&'static str>);

const DISTRIBUTIONS: &[Row] = &[
    ("argus_dist", Some("ARGUS_dist"), Some("argus_dist")),
    ("barlow_beeston_lite_poisson_constraint_dist", None, None),
    // pyhs3 takes its variate to be in [0, 1].
    ("bernstein_poly_dist", Some("bernstein_poly_dist"), None),
    ("bifurkated_gaussian_dist", Some("bifurkated_gaussian_dist"), None),
    ("bincounts_density_dist", None, None),
    ("bincounts_extended_dist", None, None),
    ("binsampling_dist", Some("binsampling_dist"), None),
    ("chebychev_dist", Some("chebychev_dist"), None),
    ("decay_dist", Some("decay_dist"), None),
    ("density_function_dist", None, None),
    ("efficiency_product_pdf_dist", Some("efficiency_product_pdf_dist"), None),
    ("exponential_dist", Some("exponential_dist"), Some("exponential_dist")),
    ("extend_pdf", Some("extend_pdf"), None),
    // ROOT loses its settings of the transform.
    ("fft_convolution_dist", None, None),
    ("gamma_dist", Some("gamma_dist"), None),
    ("gauss_model_function", Some("gauss_model_function"), None),
    ("gaussian_dist", Some("gaussian_dist"), Some("gaussian_dist")),
    ("generalized_normal_dist", None, None),
    ("generic_dist", Some("generic_dist"), Some("generic_dist")),
    ("histfactory_dist", Some("histfactory_dist"), Some("histfactory_dist")),
    ("histogram_dist", Some("histogram_dist"), None),
    // pyhs3's is no Landau density.
    ("landau_dist", Some("landau_dist"), None),
    ("legacy_exp_poly_dist", Some("legacy_exp_poly_dist"), None),
    ("log_density_function_dist", None, None),
    ("lognormal_dist", Some("lognormal_dist"), Some("lognormal_dist")),
    ("mixture_dist", Some("mixture_dist"), Some("mixture_dist")),
    ("mixture_model", Some("mixture_model"), None),
    ("multivariate_normal_dist", Some("multivariate_normal_dist"), None),
    ("poisson_dist", Some("poisson_dist"), Some("poisson_dist")),
    ("polynomial_dist", Some("polynomial_dist"), Some("polynomial_dist")),
    ("power_sum_dist", Some("power_sum_dist"), None),
    ("product_dist", Some("product_dist"), Some("product_dist")),
    ("projected_dist", None, None),
    ("rate_density_dist", None, None),
    ("rate_extended_dist", Some("extend_pdf"), None),
    ("relativistic_breit_wigner_dist", None, None),
    ("truth_model_function", Some("truth_model_function"), None),
    ("uniform_dist", Some("uniform_dist"), Some("uniform_dist")),
    ("weighted_sum_dist", Some("weighted_sum_dist"), None),
];

const FUNCTIONS: &[Row] = &[
    ("binwidth", None, None),
    ("derivative", Some("derivative"), None),
    ("generic_function", Some("generic_function"), Some("generic_function")),
    ("histogram", Some("histogram"), None),
    ("integral", Some("integral"), None),
    ("interpolation", Some("interpolation"), Some("interpolation")),
    ("interpolation0d", Some("interpolation0d"), None),
    ("polynomial", Some("polynomial"), None),
    ("product", Some("product"), Some("product")),
    ("spline", Some("spline"), None),
    ("step", Some("step"), None),
    ("sum", Some("sum"), Some("sum")),
    ("weighted_sum", Some("weighted_sum"), None),
];

/// By the standard's name.
pub(super) fn distribution(kind: &str, target: Target) -> Support {
    // The standard has one type of extended densities.
    let kind = if kind == "extend_pdf" && target == Target::Canonical { "rate_extended_dist" } else { kind };
    find(DISTRIBUTIONS, kind, target)
}

pub(super) fn function(kind: &str, target: Target) -> Support {
    find(FUNCTIONS, if kind == "generic" { "generic_function" } else { kind }, target)
}

fn find(table: &[Row], kind: &str, target: Target) -> Support {
    let Some((canonical, root, pyhs3)) = table.iter().find(|(canonical, ..)| *canonical == kind) else {
        return Support::No;
    };
    let name = match target {
        Target::Canonical => Some(*canonical),
        Target::Root640 => *root,
        Target::Pyhs3 => *pyhs3,
    };
    name.map_or(Support::No, Support::As)
}
