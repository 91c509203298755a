// SPDX-License-Identifier: Apache-2.0
// All of npurt.
#pragma once

#include "npurt/bfloat16.hpp"
#include "npurt/buffer.hpp"
#include "npurt/device.hpp"
#include "npurt/error.hpp"
#include "npurt/hw_context.hpp"
#include "npurt/kernel.hpp"
#include "npurt/ops/attention.hpp"
#include "npurt/ops/elementwise.hpp"
#include "npurt/ops/gelu_i8.hpp"
#include "npurt/ops/layernorm.hpp"
#include "npurt/ops/matmul.hpp"
#include "npurt/ops/mel.hpp"
#include "npurt/ops/softmax.hpp"
#include "npurt/quantise.hpp"
#include "npurt/run.hpp"
#include "npurt/sequence.hpp"
#include "npurt/tensor_view.hpp"
#include "npurt/weights.hpp"
#include "npurt/xclbin.hpp"
