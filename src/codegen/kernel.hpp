// SPDX-License-Identifier: Apache-2.0
// The front end: a kernel is written as C++ that calls typed vector operations; running it records them.
//
//   kernel k("scale");
//   auto in = k.argument_pointer("in", k.memory("in"));
//   auto out = k.argument_pointer("out", k.memory("out"));
//   k.loop("rows", 100, [&] {
//     auto x = load<std::int32_t, 16>(in, post(64));
//     store(out, add(x, x), post(64));
//   });
//   std::string text = k.compile().text;
//
// Values are written once and live in an iteration; a `variable` can be assigned again. The operations themselves are
// in operations.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/compile.hpp"
#include "codegen/ir.hpp"

namespace npurt::codegen {

class kernel;

struct bfloat16 {
  std::uint16_t bits;
};

/// A value or a part of one.
struct value_ref {
  kernel* owner = nullptr;
  value_id id = 0;
  std::uint8_t first_leaf = 0, leaves = 0;
};

/// 32 bits.
struct scalar : value_ref {
  static constexpr register_kind kind = register_kind::r;
};
/// The shift of srs and ups.
struct shift_amount : value_ref {
  static constexpr register_kind kind = register_kind::s;
};

constexpr register_kind vector_kind(std::size_t bytes) {
  return bytes == 32 ? register_kind::w : bytes == 64 ? register_kind::x : register_kind::y;
}
/// N elements in one vector register of 256, 512 or 1024 bits.
template <typename T, unsigned N>
struct vector : value_ref {
  static_assert(sizeof(T) * N == 32 || sizeof(T) * N == 64 || sizeof(T) * N == 128, "256, 512 or 1024 bits");
  static constexpr register_kind kind = vector_kind(sizeof(T) * N);
};

/// Accumulator lanes: 32 or 64 bits of integer, or fp32.
struct acc32 {};
struct acc64 {};
struct accfloat {};
constexpr register_kind accumulator_kind(unsigned bits) {
  return bits == 256 ? register_kind::am : bits == 512 ? register_kind::bm : register_kind::cm;
}
template <typename A, unsigned N>
struct accum : value_ref {
  static constexpr unsigned bits = N * (std::is_same_v<A, acc64> ? 64 : 32);
  static_assert(bits == 256 || bits == 512 || bits == 1024, "256, 512 or 1024 bits");
  static constexpr register_kind kind = accumulator_kind(bits);
};

/// Lanes of a comparison; bit n of a scalar belongs to lane n.
struct mask : value_ref {
  static constexpr register_kind kind = register_kind::r;
};

/// Bytes that no access through another memory touches, and the banks they lie in.
struct memory_area {
  alias_set alias = 0;
  std::uint8_t banks = 0;
  std::string name;
  bool yields = false;

  /// A DMA that moves four bytes a cycle touches memory every fourth cycle (16 bytes), and wins. If the core's accesses
  /// leave one cycle in four free, always the same, a few stalls shift the core until the DMA's fall into it.
  memory_area yielding() const {
    memory_area area = *this;
    area.yields = true;
    return area;
  }
};

/// A byte address in data memory; accesses may move it on.
struct pointer : value_ref {
  static constexpr register_kind kind = register_kind::p;
  memory_area area;
  pointer& in(const memory_area& other) {
    area = other;
    return *this;
  }
};
/// Bytes to move on, in a register.
struct stride : value_ref {
  static constexpr register_kind kind = register_kind::m;
};
struct stride_2d : value_ref {
  static constexpr register_kind kind = register_kind::d2;
};
struct stride_3d : value_ref {
  static constexpr register_kind kind = register_kind::d3;
};

/// How an access uses its pointer: `at` leaves it, `post` moves it on afterwards.
struct addressing {
  enum class type : std::uint8_t { indexed, post_immediate, post_stride, post_2d, post_3d } kind = type::indexed;
  std::int32_t bytes = 0;
  value_ref stride{};
};
inline addressing at(std::int32_t bytes) { return {addressing::type::indexed, bytes, {}}; }
inline addressing post(std::int32_t bytes) { return {addressing::type::post_immediate, bytes, {}}; }
inline addressing post(const stride& s) { return {addressing::type::post_stride, 0, s}; }
inline addressing post(const stride_2d& s) { return {addressing::type::post_2d, 0, s}; }
inline addressing post(const stride_3d& s) { return {addressing::type::post_3d, 0, s}; }

/// May be assigned again, and carries its value from one iteration to the next.
template <typename V>
class variable : public V {
 public:
  explicit variable(const V& v) : V(v) {}
  variable(const variable&) = default;
  variable& operator=(const V& value);
  variable& operator=(const variable& value) { return *this = static_cast<const V&>(value); }
};

class kernel {
 public:
  explicit kernel(std::string name);
  kernel(const kernel&) = delete;  // values point at their kernel
  kernel& operator=(const kernel&) = delete;

  /// A memory of its own. Accesses through it are ordered among each other and with those of memory_area{}.
  /// @param banks  numbers of the 16 KiB banks it lies in, 0 to 3; accesses to one bank are kept to one a cycle. None:
  /// not known.
  /// @throws operand_error for a bank that does not exist
  memory_area memory(std::string name, std::initializer_list<unsigned> banks = {});

  /// Arguments in the order of declaration: pointers in p0, p1, ..., scalars in r0, r1, ...
  pointer argument_pointer(std::string name, memory_area area = {});
  scalar argument_scalar(std::string name);

  pointer pointer_to(std::string name, std::uint32_t address, memory_area area = {});
  /// A pointer of its own that starts `bytes` behind where another one is now.
  pointer pointer_from(std::string name, const pointer& from, memory_area area);
  /// A pointer to an address that a scalar holds, loaded or computed at run time.
  pointer pointer_from(std::string name, const scalar& address, memory_area area);
  stride make_stride(std::string name, std::int32_t bytes);
  /// `count` - 1 times on by `step`, then once by `next`, and so on.
  /// @throws operand_error if a count is 0 or less
  stride_2d make_stride(std::string name, std::int32_t step, std::int32_t count, std::int32_t next);
  /// As above with a second level: after every `count` accesses by `step2`, after `count` * `count2` by `next`.
  stride_3d make_stride(std::string name, std::int32_t step, std::int32_t count, std::int32_t step2,
                        std::int32_t count2, std::int32_t next);

  /// Counts from the start again.
  void restart(const stride_2d& s);
  void restart(const stride_3d& s);

  /// The same register for equal constants, loaded once at the start.
  scalar constant(std::int32_t value);
  shift_amount shift(std::int32_t amount);

  template <typename V>
  variable<V> make_variable(std::string name, const V& initial) {
    variable<V> v(typed<V>(define(V::kind, std::move(name), true)));
    v = initial;
    return v;
  }

  /// The body `count` times; 0 is allowed.
  void loop(std::string name, std::uint32_t count, const std::function<void()>& body, loop_end end = loop_end::exact);
  void loop(std::string name, const scalar& count, const std::function<void()>& body, loop_end end = loop_end::exact);
  /// The body if the scalar is not 0.
  void when(std::string name, const scalar& condition, const std::function<void()>& body);
  /// The body, and again as long as the variable is not 0 at its end.
  void repeat(std::string name, const variable<scalar>& again, const std::function<void()>& body);

  /// Rounding of srs and conversions (crRnd) and saturation (crSat) from here on; see isa::rounding_modes().
  void set_rounding(unsigned mode);
  void set_saturation(unsigned mode);
  /// Lock ids and values as of the acq and rel instructions.
  void acquire(unsigned id, std::int32_t value);
  void release(unsigned id, std::int32_t value);

  compiled_function compile(const compile_options& options = {}) const;

  // For operations.hpp.
  value_ref define(register_kind kind, std::string name = {}, bool is_variable = false);
  template <typename V>
  static V typed(const value_ref& v) {
    V typed_value;
    static_cast<value_ref&>(typed_value) = v;
    return typed_value;
  }
  /// @throws undefined_value_error if it reads a value that lives on only as the variable it was assigned to
  void emit(operation op);
  /// `source` may be a scalar for a target of any scalar kind: pointers, strides.
  void assign(const value_ref& target, const value_ref& source);
  std::string name_of(const value_ref& v) const;
  register_kind kind_of(const value_ref& v) const;

 private:
  value_ref pinned(register_kind kind, std::string name, std::string_view reg);
  void set_part(const value_ref& whole, unsigned leaf, std::int32_t value);
  void lock_operation(std::string_view row, unsigned id, std::int32_t value, ordering order);
  void add_loop(std::unique_ptr<codegen::loop> l, const std::function<void()>& body);
  std::int32_t last_count(const std::string& stride, std::int32_t count) const;
  void set_control(std::string_view reg, unsigned value);
  block& current();
  block& constants() { return std::get<block>(function_.body.front()); }
  bool retarget(const value_ref& target, const value_ref& source);

  function function_;
  std::vector<std::vector<node>*> open_;  ///< bodies that are being filled, innermost last
  std::map<value_id, value_id> became_;   ///< values that their operation writes into a variable instead
  std::map<std::int32_t, scalar> known_;
  std::map<std::int32_t, shift_amount> known_shifts_;
  unsigned pointers_ = 0, scalars_ = 0;
  alias_set areas_ = 0;
};

operand use(const value_ref& v);

template <typename V>
variable<V>& variable<V>::operator=(const V& value) {
  this->owner->assign(*this, value);
  return *this;
}

}  // namespace npurt::codegen
