// SPDX-License-Identifier: Apache-2.0
#include "models/device/detmath.h"

#include <cstdint>
#include <cstring>
#include <limits>

// Built with -ffp-contract=off like everything here; the exact products below (Dekker) rely on it.
namespace ohmac::det {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kLn2Hi = 0x1.62e42fee00000p-1;  // ln 2, the last 21 bits zero: k * kLn2Hi is exact for |k| < 2^20
constexpr double kLn2Lo = 0x1.a39ef35793c76p-33;
constexpr double kInvLn2 = 0x1.71547652b82fep+0;
constexpr double k2Pi = 0x1.921fb54442d18p+2;

uint64_t bits_of(double x) {
  uint64_t u;
  std::memcpy(&u, &x, 8);
  return u;
}
double from_bits(uint64_t u) {
  double x;
  std::memcpy(&x, &u, 8);
  return x;
}

/// Unevaluated sum of two doubles, |lo| far below |hi|.
struct Double2 {
  double hi, lo;
};

/// a * b exactly (Dekker; operands below 2^900 here).
Double2 two_product(double a, double b) {
  constexpr double kSplit = 134217729.0;  // 2^27 + 1
  const double ta = kSplit * a, ah = ta - (ta - a), al = a - ah;
  const double tb = kSplit * b, bh = tb - (tb - b), bl = b - bh;
  const double p = a * b;
  return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

/// log of a finite x > 0 in two doubles, relative error about 2e-18.
/// x = 2^k m, m in [sqrt(1/2), sqrt(2)); log m = 2 atanh(s), s = (m - 1) / (m + 1).
Double2 log2d(double x) {
  int k = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    k = -54;
  }
  uint64_t u = bits_of(x);
  // Take the exponent so that the mantissa falls in [sqrt(1/2), sqrt(2)).
  const uint64_t shifted = u - 0x3fe6a09e667f3bcdull;
  const int e = static_cast<int>(static_cast<int64_t>(shifted) >> 52);
  k += e;
  const double m = from_bits(u - (static_cast<uint64_t>(static_cast<int64_t>(e)) << 52));

  const double f = m - 1.0;  // exact
  const double d = f + 2.0;  // rounded; its error is put back below
  const double d_err = f - (d - 2.0);
  const double s = f / d;
  const Double2 sd = two_product(s, d);
  const double s_lo = (((f - sd.hi) - sd.lo) - s * d_err) / d;
  const double z = s * s;
  double p = 2.0 / 25;
  p = p * z + 2.0 / 23;
  p = p * z + 2.0 / 21;
  p = p * z + 2.0 / 19;
  p = p * z + 2.0 / 17;
  p = p * z + 2.0 / 15;
  p = p * z + 2.0 / 13;
  p = p * z + 2.0 / 11;
  p = p * z + 2.0 / 9;
  p = p * z + 2.0 / 7;
  p = p * z + 2.0 / 5;
  p = p * z + 2.0 / 3;
  const double tail = 2.0 * s_lo + p * z * s;
  const double kh = k * kLn2Hi, s2 = 2.0 * s;
  const double hi = kh + s2;  // |kh| > |s2| or kh == 0
  const double err = s2 - (hi - kh);
  const double lo = err + (tail + k * kLn2Lo);
  const double sum = hi + lo;
  return {sum, lo - (sum - hi)};
}

/// e^(hi + lo): reduce by k ln 2, Taylor to degree 13 on |r| <= ln(2)/2 (remainder 4e-18).
double exp2d(double hi, double lo) {
  if (hi != hi) return kNan;
  if (hi > 710.0) return kInf;
  if (hi < -746.0) return 0.0;
  const double kd = hi * kInvLn2;
  const int k = static_cast<int>(kd < 0 ? kd - 0.5 : kd + 0.5);
  const double r = (hi - k * kLn2Hi) - (k * kLn2Lo - lo);
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = 1.0 + (r + p * r * r);
  // Two steps, so that neither scale leaves the normal range.
  const int k1 = k / 2, k2 = k - k1;
  p *= from_bits(static_cast<uint64_t>(1023 + k1) << 52);
  return p * from_bits(static_cast<uint64_t>(1023 + k2) << 52);
}

}  // namespace

double log(double x) {
  if (!(x > 0)) return x == 0 ? -kInf : kNan;
  if (x == kInf) return kInf;
  return log2d(x).hi;
}

double exp(double x) { return exp2d(x, 0.0); }

double pow(double x, double y) {
  if (y == 0 || x == 1) return 1.0;
  if (!(x >= 0) || y != y) return kNan;
  if (x == 0) return y > 0 ? 0.0 : kInf;
  if (x == kInf) return y > 0 ? kInf : 0.0;
  const Double2 l = log2d(x);
  const double rough = y * l.hi;
  if (!(rough < 720 && rough > -760)) return rough > 0 ? kInf : 0.0;
  if (y > 0x1p900 || y < -0x1p900)
    return 1.0;  // log x is 0 here: unreachable for x != 1, kept for the bound of two_product
  const Double2 p = two_product(y, l.hi);
  return exp2d(p.hi, p.lo + y * l.lo);
}

SinCos sincos_2pi(double u) {
  const double q4 = u * 4.0;
  const int64_t q = static_cast<int64_t>(q4 < 0 ? q4 - 0.5 : q4 + 0.5);
  const double t = (u - static_cast<double>(q) * 0.25) * k2Pi;  // |t| <= pi/4
  const double z = t * t;
  double s = 1.0 / 355687428096000.0;
  s = s * z - 1.0 / 1307674368000.0;
  s = s * z + 1.0 / 6227020800.0;
  s = s * z - 1.0 / 39916800.0;
  s = s * z + 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  s = t + s * z * t;
  double c = 1.0 / 20922789888000.0;
  c = c * z - 1.0 / 87178291200.0;
  c = c * z + 1.0 / 479001600.0;
  c = c * z - 1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  c = c * z - 0.5;
  c = 1.0 + c * z;
  switch (q & 3) {
    case 0: return {s, c};
    case 1: return {c, -s};
    case 2: return {-s, -c};
    default: return {-c, s};
  }
}

}  // namespace ohmac::det
