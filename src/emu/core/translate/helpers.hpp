// SPDX-License-Identifier: Apache-2.0
// What translated code calls when it cannot reach memory or banks by itself.
#pragma once

#include "emu/core/translate/context.hpp"

namespace npurt::emu::translate {

bool claim_banks(context* c, std::uint32_t address, std::uint32_t size) noexcept;

/// The bytes of an aligned access, nullptr if none are mapped; remembers whole windows.
std::byte* find_memory(context* c, std::uint32_t address, std::uint32_t size) noexcept;

}  // namespace npurt::emu::translate
