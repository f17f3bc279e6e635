"""twice_nll of pyhf's model as a function that jax compiles, with gradient and Hessian."""

import jax
import jax.numpy as jnp
import numpy as np
import peer_pyhf
from jax.scipy.special import gammaln


class Objective:
    """twice_nll of a model, compiled by jax, +inf outside the domain.

    `barrier` t adds -2 t sum ln(nu_b) over bins with nothing observed. A minimum on nu_b = 0 is approached from
    inside the domain by letting t go to zero.
    """

    def __init__(self, model, data):
        self.start, self.low, self.high, self.fixed = peer_pyhf.arrays(model)
        observed = jnp.asarray(data[: model.config.nmaindata])
        auxdata = jnp.asarray(data[model.config.nmaindata :])
        empty = observed == 0

        def rates(point):
            return model.main_model.make_pdf(point).expected_data()

        def terms(point, barrier):
            nu = rates(point)
            inside = jnp.where(nu > 0, nu, 1.0)
            main = jnp.where(nu > 0, observed * jnp.log(inside) - nu - gammaln(observed + 1), -nu)
            value = -2 * jnp.sum(main) - 2 * barrier * jnp.sum(jnp.where(empty, jnp.log(inside), 0.0))
            if model.constraint_model.has_pdf():
                value = value - 2 * model.constraint_model.logpdf(auxdata, point)
            outside = jnp.any((nu < 0) | ((nu <= 0) & ~empty))
            return jnp.where(outside, jnp.inf, value)

        def derivatives(point, barrier):
            def along(direction):
                return jax.jvp(lambda q: jax.grad(terms)(q, barrier), (point,), (direction,))

            gradients, hessian = jax.lax.map(along, jnp.eye(len(point)))
            return gradients[0], hessian

        self._rates = jax.jit(rates)
        self._value = jax.jit(terms)
        self._gradient = jax.jit(jax.grad(terms))
        self._derivatives = jax.jit(derivatives)
        self.observed = np.asarray(observed)

    def value(self, point, barrier=0.0):
        value = float(self._value(jnp.asarray(point), barrier))
        return value if np.isfinite(value) else np.inf

    def derivatives(self, point, barrier=0.0):
        """Gradient and Hessian. jax's second derivative of some models is NaN where its first is sound; then the
        Hessian comes from fourth-order differences of the gradient."""
        gradient, hessian = map(np.asarray, self._derivatives(jnp.asarray(point), barrier))
        if np.all(np.isfinite(gradient)) and not np.all(np.isfinite(hessian)):
            hessian = self._differenced_hessian(point, barrier)
        return gradient, hessian

    def _differenced_hessian(self, point, barrier, step=1e-3):
        rows = []
        for unit in np.eye(len(point)):
            near = [np.asarray(self._gradient(jnp.asarray(point + k * step * unit), barrier)) for k in (-2, -1, 1, 2)]
            rows.append((near[0] - 8 * near[1] + 8 * near[2] - near[3]) / (12 * step))
        hessian = np.asarray(rows)
        return (hessian + hessian.T) / 2

    def rates(self, point):
        return np.asarray(self._rates(jnp.asarray(point)))

    def free(self, point, gradient):
        """Parameters that may move: not fixed and not held at a bound by the gradient."""
        held = ((point <= self.low) & (gradient > 0)) | ((point >= self.high) & (gradient < 0))
        return ~(self.fixed | held)
