// SPDX-License-Identifier: Apache-2.0
// Any bytes are no bundle, or one that encodes to canonical bytes, decodes from them alike, and has a text that
// assembles to them. The first byte chooses between bytes as they are and bundles made to decode.
#include "asm/assembler.hpp"
#include "asm/disassembler.hpp"
#include "fuzz/bundles.hpp"

using namespace npurt;

namespace {

void check_same(const aie::isa::decoded_bundle& one, const aie::isa::decoded_bundle& other) {
  fuzz::require(one.format == other.format && one.count == other.count, "canonical bytes have the same format");
  for (std::size_t i = 0; i < one.count; ++i)
    fuzz::require(one.slots[i].row == other.slots[i].row && one.slots[i].values == other.slots[i].values,
                  "canonical bytes have the same instructions");
}

void check_text(const aie::isa::decoded_bundle& bundle, std::span<const std::uint8_t> bytes) {
  const auto text = assembler::to_text(bundle);
  const auto program = assembler::assemble(text, "bundle");
  if (!program) std::fprintf(stderr, "%s\n%s\n", text.c_str(), to_string(program.error().front()).c_str());
  fuzz::require(program.has_value(), "the text of a bundle assembles");
  const auto& assembled = program->sections.at(0).bytes;
  if (!std::ranges::equal(assembled, bytes)) std::fprintf(stderr, "%s\n", text.c_str());
  fuzz::require(std::ranges::equal(assembled, bytes), "the text of a bundle assembles to its bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  std::optional<aie::isa::decoded_bundle> bundle;
  if ((in.u8() & 1) != 0) {
    unsigned length = 0;
    bundle = aie::isa::decode(fuzz::make_bundle(in, length));
    fuzz::require(bundle.has_value() && bundle->bytes == length, "what encodes decodes");
  } else {
    bundle = aie::isa::decode(in.rest());
  }
  if (!bundle) return 0;
  const auto bytes = encode(*bundle);
  fuzz::require(bytes.has_value(), "what decodes encodes");
  const auto again = aie::isa::decode(*bytes);
  fuzz::require(again.has_value(), "canonical bytes decode");
  check_same(*bundle, *again);
  fuzz::require(encode(*again) == bytes, "canonical bytes encode to themselves");
  check_text(*again, std::span(*bytes).first(again->bytes));
  return 0;
}
