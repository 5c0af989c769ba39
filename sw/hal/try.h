// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sw/hal/status.h"

/// Ends the function with the status of `expr` unless it is kOk.
#define OHMAC_TRY(expr)                                          \
  do {                                                           \
    const ::ohmac::Status try_status_ = (expr);                  \
    if (try_status_ != ::ohmac::Status::kOk) return try_status_; \
  } while (false)
