// SPDX-License-Identifier: Apache-2.0
// Which rows of the instruction table each table-driven test exercises: the coverage test asks them all.
#pragma once

#include "aie/isa/isa.hpp"

namespace npurt::test {

bool is_memory_form(const aie::isa::instruction& row);      ///< memory_forms_test.cpp
bool is_scalar_form(const aie::isa::instruction& row);      ///< scalar_forms_test.cpp
bool is_vector_form(const aie::isa::instruction& row);      ///< vector_forms_test.cpp
bool is_conversion_form(const aie::isa::instruction& row);  ///< conversion_forms_test.cpp
bool is_multiplier_form(const aie::isa::instruction& row);  ///< multiplier_forms_test.cpp
bool is_control_form(const aie::isa::instruction& row);     ///< control_forms_test.cpp

}  // namespace npurt::test
