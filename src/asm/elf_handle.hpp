// SPDX-License-Identifier: Apache-2.0
// An ELF file that libelf has open.
#pragma once

#include <libelf.h>

#include <memory>

namespace npurt::assembler {

struct elf_closer {
  void operator()(Elf* elf) const { elf_end(elf); }
};
using elf_handle = std::unique_ptr<Elf, elf_closer>;

}  // namespace npurt::assembler
