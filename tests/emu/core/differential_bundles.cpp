// SPDX-License-Identifier: Apache-2.0
// Encoding of single bundles, and nops around an instruction.
#include "emu/core/differential_bundles.hpp"

#include <optional>
#include <stdexcept>

#include "asm/disassembler.hpp"

namespace npurt::test {
namespace {

namespace isa = aie::isa;

isa::decoded_bundle nops(const isa::bundle_format& format) {
  isa::decoded_bundle bundle;
  bundle.format = &format;
  bundle.bytes = format.bytes;
  for (const auto& part : format.slots) {
    auto& nop = bundle.slots[bundle.count++];
    nop.row = &isa::slot_nop(part.where);
    complete(nop);
  }
  return bundle;
}

}  // namespace

bundle_bytes encoded(const isa::decoded_bundle& bundle) {
  const auto bytes = encode(bundle);
  if (!bytes) throw std::logic_error("a generated bundle does not encode");
  return {*bytes, bundle.bytes};
}

bundle_bytes alone(const isa::decoded_instruction& insn) {
  for (const auto& format : isa::formats()) {
    auto bundle = nops(format);
    for (std::size_t i = 0; i < bundle.count; ++i) {
      if (bundle.slots[i].row->where != insn.row->where) continue;
      bundle.slots[i] = insn;
      if (const auto bytes = encode(bundle)) return {*bytes, bundle.bytes};
    }
  }
  return {};
}

bundle_bytes nop_like(const bundle_bytes& bundle) {
  for (const auto& format : isa::formats()) {
    if (format.bytes == bundle.length) return encoded(nops(format));
  }
  throw std::logic_error("no format of this length");
}

std::string text_of(const bundle_bytes& bundle) {
  const auto decoded = isa::decode(bundle.bytes);
  return decoded ? assembler::to_text(*decoded) : "(illegal)";
}

}  // namespace npurt::test
