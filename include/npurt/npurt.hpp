// SPDX-License-Identifier: Apache-2.0
// All of npurt.
#pragma once

#include "npurt/buffer.hpp"
#include "npurt/device.hpp"
#include "npurt/error.hpp"
#include "npurt/hw_context.hpp"
#include "npurt/kernel.hpp"
#include "npurt/ops/matmul.hpp"
#include "npurt/run.hpp"
#include "npurt/tensor_view.hpp"
#include "npurt/xclbin.hpp"
