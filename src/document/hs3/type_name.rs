//! What components are called: the types of the specification, or of the program that has them.

use super::{DataKind, DistributionKind, FunctionKind, ModifierKind, Resolution, Slot};

impl DistributionKind {
    /// The type as a canonical document writes it.
    pub fn type_name(&self) -> &str {
        match self {
            DistributionKind::Argus { .. } => "argus_dist",
            DistributionKind::BarlowBeestonLite { .. } => "barlow_beeston_lite_poisson_constraint_dist",
            DistributionKind::Bernstein { .. } => "bernstein_poly_dist",
            DistributionKind::BifurcatedGaussian { .. } => "bifurkated_gaussian_dist",
            DistributionKind::BincountsDensity { .. } => "bincounts_density_dist",
            DistributionKind::BincountsExtended { .. } => "bincounts_extended_dist",
            DistributionKind::BinSampling { .. } => "binsampling_dist",
            DistributionKind::Chebychev { .. } => "chebychev_dist",
            DistributionKind::CrystalBall { right: None, .. } => "crystalball_dist",
            DistributionKind::CrystalBall { .. } => "crystalball_doublesided_dist",
            DistributionKind::Decay { .. } => "decay_dist",
            DistributionKind::DensityFunction { logarithm: false, .. } => "density_function_dist",
            DistributionKind::DensityFunction { .. } => "log_density_function_dist",
            DistributionKind::EfficiencyProduct { .. } => "efficiency_product_pdf_dist",
            DistributionKind::Exponential { .. } => "exponential_dist",
            DistributionKind::Extended { .. } => "rate_extended_dist",
            DistributionKind::FftConvolution { .. } => "fft_convolution_dist",
            DistributionKind::Gamma { .. } => "gamma_dist",
            DistributionKind::Gaussian { .. } => "gaussian_dist",
            DistributionKind::GeneralizedNormal { .. } => "generalized_normal_dist",
            DistributionKind::Generic(_) => "generic_dist",
            DistributionKind::HistFactory(_) => "histfactory_dist",
            DistributionKind::Histogram { .. } => "histogram_dist",
            DistributionKind::Landau { .. } => "landau_dist",
            DistributionKind::LegacyExpPoly { .. } => "legacy_exp_poly_dist",
            DistributionKind::LogNormal { .. } => "lognormal_dist",
            DistributionKind::Mixture { .. } => "mixture_dist",
            DistributionKind::MixtureModel { .. } => "mixture_model",
            DistributionKind::MultivariateNormal { .. } => "multivariate_normal_dist",
            DistributionKind::Poisson { .. } => "poisson_dist",
            DistributionKind::Polynomial { .. } => "polynomial_dist",
            DistributionKind::PowerFall { shift: Slot::Number(0.0), .. } => "CMS::qqZZ_background_dist",
            DistributionKind::PowerFall { .. } => "CMS::ggZZ_background_dist",
            DistributionKind::PowerSum { .. } => "power_sum_dist",
            DistributionKind::Product { .. } => "product_dist",
            DistributionKind::Projected { .. } => "projected_dist",
            DistributionKind::RateDensity { .. } => "rate_density_dist",
            DistributionKind::RelativisticBreitWigner { .. } => "relativistic_breit_wigner_dist",
            DistributionKind::ResolutionModel(Resolution::Gauss { .. }) => "gauss_model_function",
            DistributionKind::ResolutionModel(Resolution::Delta { .. }) => "truth_model_function",
            DistributionKind::Uniform { .. } => "uniform_dist",
            DistributionKind::WeightedSum { .. } => "weighted_sum_dist",
            DistributionKind::Unknown { kind } => kind,
        }
    }
}

impl FunctionKind {
    /// As [`DistributionKind::type_name`].
    pub fn type_name(&self) -> &str {
        match self {
            FunctionKind::Product { .. } => "product",
            FunctionKind::Sum { .. } => "sum",
            FunctionKind::Polynomial { .. } => "polynomial",
            FunctionKind::Derivative { .. } => "derivative",
            FunctionKind::Generic(_) => "generic_function",
            FunctionKind::Integral { .. } => "integral",
            FunctionKind::Histogram { .. } => "histogram",
            FunctionKind::Step { .. } => "step",
            FunctionKind::Interpolation { .. } => "interpolation",
            FunctionKind::Interpolation0d { .. } => "interpolation0d",
            FunctionKind::BinWidth { .. } => "binwidth",
            FunctionKind::AsymmetricPower { .. } => "CMS::asympow",
            FunctionKind::ProcessNormalization { .. } => "CMS::process_normalization",
            FunctionKind::RecursiveFraction { .. } => "roorecursivefraction_dist",
            FunctionKind::WeightedSum { .. } => "weighted_sum",
            FunctionKind::Spline { .. } => "spline",
            FunctionKind::Unknown { kind } => kind,
        }
    }
}

impl DataKind {
    /// As [`DistributionKind::type_name`].
    pub fn type_name(&self) -> &str {
        match self {
            DataKind::Point { .. } => "point",
            DataKind::Unbinned { .. } => "unbinned",
            DataKind::Binned(_) => "binned",
            DataKind::Unknown { kind } => kind,
        }
    }
}

impl ModifierKind {
    /// As [`DistributionKind::type_name`].
    pub fn type_name(&self) -> &str {
        match self {
            ModifierKind::Normfactor => "normfactor",
            ModifierKind::Normsys => "normsys",
            ModifierKind::Histosys => "histosys",
            ModifierKind::Shapefactor => "shapefactor",
            ModifierKind::Shapesys => "shapesys",
            ModifierKind::Staterror => "staterror",
            ModifierKind::Custom => "custom",
            ModifierKind::Unknown(kind) => kind,
        }
    }
}
