// SPDX-License-Identifier: Apache-2.0
// Elementary functions with the same bits on every machine: only + - * / and integer operations, no fma, no libm.
#pragma once

namespace ohmac::det {

/// Natural logarithm. Relative error below 2e-15 (about 1 ulp). log(0) = -inf, negative or NaN -> NaN.
double log(double x);

/// e^x. Relative error below 2e-15 for normal results; overflow -> inf, underflow through the subnormals to 0.
double exp(double x);

/// x^y for x >= 0 (the laws of devices never need another base; x < 0 -> NaN). Relative error below 2e-15 for normal
/// results: the logarithm is carried in two doubles.
double pow(double x, double y);

/// sin(2 pi u), cos(2 pi u) for |u| < 2^30. The reduction is exact; absolute error below 5e-16.
struct SinCos {
  double sin, cos;
};
SinCos sincos_2pi(double u);

}  // namespace ohmac::det
