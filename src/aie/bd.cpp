// SPDX-License-Identifier: Apache-2.0
// Buffer descriptors to words and back: one table of bit fields per kind of tile.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "aie/dma.hpp"

namespace npurt::aie {

namespace {

// clang-format off
enum class field : std::uint8_t {
  address_low, address_high, length,
  d0_step, d1_step, d2_step, d3_step, d0_wrap, d1_wrap, d2_wrap, d3_wrap,
  d0_before, d1_before, d2_before, d3_before, d0_after, d1_after, d2_after, d3_after,
  iteration_step, iteration_wrap, iteration_current,
  valid, use_next, next_bd, acquire_enable, acquire_lock, acquire_value, release_lock, release_value,
  packet_enable, packet_id, packet_type, out_of_order_id, tlast_suppress, compression,
  burst_length, ax_cache, ax_qos, smid, secure,
  count
};

constexpr std::array<const char*, static_cast<std::size_t>(field::count)> field_names{
    "address (low part)", "address (high part)", "length",
    "dimension 0 step", "dimension 1 step", "dimension 2 step", "dimension 3 step",
    "dimension 0 wrap", "dimension 1 wrap", "dimension 2 wrap", "dimension 3 wrap",
    "dimension 0 zero_before", "dimension 1 zero_before", "dimension 2 zero_before", "dimension 3 zero_before",
    "dimension 0 zero_after", "dimension 1 zero_after", "dimension 2 zero_after", "dimension 3 zero_after",
    "iteration_step", "iteration_wrap", "iteration_current",
    "valid", "use_next", "next_bd", "acquire_enable", "acquire_lock", "acquire_value", "release_lock", "release_value",
    "packet_enable", "packet_id", "packet_type", "out_of_order_id", "tlast_suppress", "compression",
    "burst_length", "ax_cache", "ax_qos", "smid", "secure"};
// clang-format on

struct place {
  field what;
  std::uint8_t word;
  std::uint8_t msb;
  std::uint8_t lsb;
};

// AM025, memory module DMA_BD0_0 to DMA_BD0_5 (mlir-aie aie_registers_aie2.json).
constexpr place core_places[]{{field::address_low, 0, 27, 14},
                              {field::length, 0, 13, 0},
                              {field::compression, 1, 31, 31},
                              {field::packet_enable, 1, 30, 30},
                              {field::out_of_order_id, 1, 29, 24},
                              {field::packet_id, 1, 23, 19},
                              {field::packet_type, 1, 18, 16},
                              {field::d1_step, 2, 25, 13},
                              {field::d0_step, 2, 12, 0},
                              {field::d1_wrap, 3, 28, 21},
                              {field::d0_wrap, 3, 20, 13},
                              {field::d2_step, 3, 12, 0},
                              {field::iteration_current, 4, 24, 19},
                              {field::iteration_wrap, 4, 18, 13},
                              {field::iteration_step, 4, 12, 0},
                              {field::tlast_suppress, 5, 31, 31},
                              {field::next_bd, 5, 30, 27},
                              {field::use_next, 5, 26, 26},
                              {field::valid, 5, 25, 25},
                              {field::release_value, 5, 24, 18},
                              {field::release_lock, 5, 16, 13},
                              {field::acquire_enable, 5, 12, 12},
                              {field::acquire_value, 5, 11, 5},
                              {field::acquire_lock, 5, 3, 0}};

// AM025, memory tile module DMA_BD0_0 to DMA_BD0_7.
constexpr place memtile_places[]{
    {field::packet_enable, 0, 31, 31},   {field::packet_type, 0, 30, 28},   {field::packet_id, 0, 27, 23},
    {field::out_of_order_id, 0, 22, 17}, {field::length, 0, 16, 0},         {field::d0_before, 1, 31, 26},
    {field::next_bd, 1, 25, 20},         {field::use_next, 1, 19, 19},      {field::address_low, 1, 18, 0},
    {field::tlast_suppress, 2, 31, 31},  {field::d0_wrap, 2, 26, 17},       {field::d0_step, 2, 16, 0},
    {field::d1_before, 3, 31, 27},       {field::d1_wrap, 3, 26, 17},       {field::d1_step, 3, 16, 0},
    {field::compression, 4, 31, 31},     {field::d2_before, 4, 30, 27},     {field::d2_wrap, 4, 26, 17},
    {field::d2_step, 4, 16, 0},          {field::d2_after, 5, 31, 28},      {field::d1_after, 5, 27, 23},
    {field::d0_after, 5, 22, 17},        {field::d3_step, 5, 16, 0},        {field::iteration_current, 6, 28, 23},
    {field::iteration_wrap, 6, 22, 17},  {field::iteration_step, 6, 16, 0}, {field::valid, 7, 31, 31},
    {field::release_value, 7, 30, 24},   {field::release_lock, 7, 23, 16},  {field::acquire_enable, 7, 15, 15},
    {field::acquire_value, 7, 14, 8},    {field::acquire_lock, 7, 7, 0}};

// AM025, NoC module DMA_BD0_0 to DMA_BD0_7.
constexpr place shim_places[]{
    {field::length, 0, 31, 0},           {field::address_low, 1, 31, 2},    {field::packet_enable, 2, 30, 30},
    {field::out_of_order_id, 2, 29, 24}, {field::packet_id, 2, 23, 19},     {field::packet_type, 2, 18, 16},
    {field::address_high, 2, 15, 0},     {field::secure, 3, 30, 30},        {field::d0_wrap, 3, 29, 20},
    {field::d0_step, 3, 19, 0},          {field::burst_length, 4, 31, 30},  {field::d1_wrap, 4, 29, 20},
    {field::d1_step, 4, 19, 0},          {field::smid, 5, 31, 28},          {field::ax_cache, 5, 27, 24},
    {field::ax_qos, 5, 23, 20},          {field::d2_step, 5, 19, 0},        {field::iteration_current, 6, 31, 26},
    {field::iteration_wrap, 6, 25, 20},  {field::iteration_step, 6, 19, 0}, {field::tlast_suppress, 7, 31, 31},
    {field::next_bd, 7, 30, 27},         {field::use_next, 7, 26, 26},      {field::valid, 7, 25, 25},
    {field::release_value, 7, 24, 18},   {field::release_lock, 7, 16, 13},  {field::acquire_enable, 7, 12, 12},
    {field::acquire_value, 7, 11, 5},    {field::acquire_lock, 7, 3, 0}};

std::span<const place> places(tile_kind kind) {
  switch (kind) {
    case tile_kind::shim:
      return shim_places;
    case tile_kind::memtile:
      return memtile_places;
    case tile_kind::core:
      return core_places;
  }
  throw std::invalid_argument("no such kind of tile");
}

constexpr bool is_signed(field f) { return f == field::acquire_value || f == field::release_value; }

/// Calls visit(field, member, bias) for everything but the address; the register stores the member minus the bias.
template <typename Bd, typename Visit>
void visit_fields(Bd& bd, const Visit& visit) {
  const auto numbered = [](field first, std::size_t i) {
    return static_cast<field>(static_cast<std::size_t>(first) + i);
  };
  for (std::size_t i = 0; i < bd.dimensions.size(); ++i) {
    auto& dimension = bd.dimensions[i];
    visit(numbered(field::d0_step, i), dimension.step, 1);
    visit(numbered(field::d0_wrap, i), dimension.wrap, 0);
    visit(numbered(field::d0_before, i), dimension.zero_before, 0);
    visit(numbered(field::d0_after, i), dimension.zero_after, 0);
  }
  visit(field::length, bd.length, 0);
  visit(field::iteration_step, bd.iteration_step, 1);
  visit(field::iteration_wrap, bd.iteration_wrap, 1);
  visit(field::iteration_current, bd.iteration_current, 0);
  visit(field::valid, bd.valid, 0);
  visit(field::use_next, bd.use_next, 0);
  visit(field::next_bd, bd.next_bd, 0);
  visit(field::acquire_enable, bd.acquire_enable, 0);
  visit(field::acquire_lock, bd.acquire_lock, 0);
  visit(field::acquire_value, bd.acquire_value, 0);
  visit(field::release_lock, bd.release_lock, 0);
  visit(field::release_value, bd.release_value, 0);
  visit(field::packet_enable, bd.packet_enable, 0);
  visit(field::packet_id, bd.packet_id, 0);
  visit(field::packet_type, bd.packet_type, 0);
  visit(field::out_of_order_id, bd.out_of_order_id, 0);
  visit(field::tlast_suppress, bd.tlast_suppress, 0);
  visit(field::compression, bd.compression, 0);
  visit(field::burst_length, bd.burst_length, 0);
  visit(field::ax_cache, bd.ax_cache, 0);
  visit(field::ax_qos, bd.ax_qos, 0);
  visit(field::smid, bd.smid, 0);
  visit(field::secure, bd.secure, 0);
}

[[noreturn]] void does_not_fit(tile_kind kind, field f, std::int64_t value) {
  throw std::out_of_range(to_string(kind) + " BD: " + field_names[static_cast<std::size_t>(f)] +
                          " does not fit (stored " + std::to_string(value) + ")");
}

/// Puts a value into its field; a field that this kind of tile lacks can only be 0.
void put(bd_words& words, tile_kind kind, field f, std::int64_t value) {
  const auto table = places(kind);
  const auto at = std::ranges::find(table, f, &place::what);
  if (at == table.end()) {
    if (value != 0) {
      does_not_fit(kind, f, value);
    }
    return;
  }
  const unsigned width = at->msb - at->lsb + 1U;
  const std::int64_t low = is_signed(f) ? -(std::int64_t{1} << (width - 1)) : 0;
  const std::int64_t high = (std::int64_t{1} << (is_signed(f) ? width - 1 : width)) - 1;
  if (value < low || value > high) {
    does_not_fit(kind, f, value);
  }
  const auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << width) - 1);
  words[at->word] |= (static_cast<std::uint32_t>(value) & mask) << at->lsb;
}

/// The value of a field; 0 if this kind of tile lacks it.
std::int64_t get(std::span<const std::uint32_t> words, tile_kind kind, field f) {
  const auto table = places(kind);
  const auto at = std::ranges::find(table, f, &place::what);
  if (at == table.end()) {
    return 0;
  }
  const unsigned width = at->msb - at->lsb + 1U;
  const auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << width) - 1);
  const std::int64_t raw = words[at->word] >> at->lsb & mask;
  const bool negative = is_signed(f) && (raw >> (width - 1) & 1) != 0;
  return negative ? raw - (std::int64_t{1} << width) : raw;
}

}  // namespace

bd_words pack_bd(tile_kind kind, const dma_bd& bd) {
  if (bd.address % 4 != 0) {
    throw std::out_of_range(to_string(kind) + " BD: address is not a multiple of 4");
  }
  bd_words words{};
  put(words, kind, field::address_low, static_cast<std::int64_t>(bd.address >> 2 & 0x3FFFFFFF));
  put(words, kind, field::address_high, static_cast<std::int64_t>(bd.address >> 32));
  visit_fields(bd, [&](field f, const auto& member, int bias) {
    put(words, kind, f, static_cast<std::int64_t>(member) - bias);
  });
  return words;
}

dma_bd unpack_bd(tile_kind kind, std::span<const std::uint32_t> words) {
  if (words.size() < resources(kind).bd_words) {
    throw std::out_of_range(to_string(kind) + " BD: " + std::to_string(words.size()) + " words are too few");
  }
  dma_bd bd;
  bd.address = static_cast<std::uint64_t>(get(words, kind, field::address_high)) << 32 |
               static_cast<std::uint64_t>(get(words, kind, field::address_low)) << 2;
  visit_fields(bd, [&](field f, auto& member, int bias) {
    member = static_cast<std::remove_reference_t<decltype(member)>>(get(words, kind, f) + bias);
  });
  return bd;
}

}  // namespace npurt::aie
