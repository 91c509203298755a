// SPDX-License-Identifier: Apache-2.0
// Layout (numpy.lib.format): magic "\x93NUMPY", version major and minor, header length (little-endian, 2 bytes in
// version 1, 4 bytes in version 2), the header, the elements. The header is a Python dictionary with exactly the keys
// descr, fortran_order and shape, padded with blanks so that the elements start at a multiple of 64 bytes.
#include "support/npy.hpp"

#include <bit>
#include <charconv>
#include <fstream>
#include <map>
#include <string_view>
#include <system_error>
#include <vector>

namespace examples {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t longest_header = 65536;
constexpr std::size_t most_elements = std::size_t{1} << 30;

// The header's dictionary as it is written by NumPy: key to the text of its value.
class header_parser {
 public:
  header_parser(const std::filesystem::path& file, std::string_view text) : file_(file), rest_(text) {}

  std::map<std::string, std::string> parse() {
    std::map<std::string, std::string> entries;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (!entries.emplace(key, value()).second) fail("the key '" + key + "' stands twice");
      if (accept(',')) continue;
      expect('}');
      break;
    }
    skip_blanks();
    if (!rest_.empty()) fail("text after the dictionary");
    return entries;
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { throw npy_error(file_, "bad .npy header: " + reason); }

  void skip_blanks() {
    const std::size_t first = rest_.find_first_not_of(" \t\n");
    rest_.remove_prefix(first == std::string_view::npos ? rest_.size() : first);
  }

  bool accept(char wanted) {
    skip_blanks();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail(std::string("'") + wanted + "' expected");
  }

  // The text up to and including the character `last`, which must come.
  std::string up_to(char last) {
    const std::size_t end = rest_.find(last);
    if (end == std::string_view::npos) fail(std::string("'") + last + "' is missing");
    std::string text(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::string quoted() {
    skip_blanks();
    const char quote = rest_.starts_with('"') ? '"' : '\'';
    expect(quote);
    return up_to(quote);
  }

  // A string (without its quotes), a tuple (without its parentheses) or a word.
  std::string value() {
    skip_blanks();
    if (rest_.starts_with('\'') || rest_.starts_with('"')) return quoted();
    if (accept('(')) return up_to(')');
    const std::size_t end = rest_.find_first_of(" ,}");
    std::string word(rest_.substr(0, end));
    rest_.remove_prefix(word.size());
    return word;
  }

  const std::filesystem::path& file_;
  std::string_view rest_;
};

// The dimensions of a shape tuple such as "64, 32".
std::vector<std::size_t> parse_shape(const std::filesystem::path& file, std::string_view text) {
  std::vector<std::size_t> shape;
  while (true) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (text.empty()) return shape;
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc{})
      throw npy_error(file, "bad .npy header: a dimension is not a number: " + std::string(text));
    shape.push_back(size);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    while (text.starts_with(' ')) text.remove_prefix(1);
    if (text.starts_with(',')) {
      text.remove_prefix(1);
    } else if (!text.empty()) {
      throw npy_error(file, "bad .npy header: ',' expected between dimensions: " + std::string(text));
    }
  }
}

std::string read_exactly(const std::filesystem::path& file, std::istream& stream, std::size_t size, const char* what) {
  std::string bytes(size, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  if (static_cast<std::size_t>(stream.gcount()) != size) throw npy_error(file, std::string("cut off in its ") + what);
  return bytes;
}

std::size_t little_endian(std::string_view bytes) {
  std::size_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string read_header(const std::filesystem::path& file, std::istream& stream) {
  const std::string start = read_exactly(file, stream, magic.size() + 2, "first bytes");
  if (!start.starts_with(magic)) throw npy_error(file, "not a .npy file");
  const char version = start[magic.size()];
  if ((version != 1 && version != 2) || start[magic.size() + 1] != 0) {
    throw npy_error(file, ".npy format version 1.0 or 2.0 expected");
  }
  const std::size_t size = little_endian(read_exactly(file, stream, version == 1 ? 2 : 4, "header length"));
  if (size > longest_header) throw npy_error(file, "header of " + std::to_string(size) + " bytes is too long");
  return read_exactly(file, stream, size, "header");
}

struct npy_header {
  std::string dtype;
  std::vector<std::size_t> shape;
};

npy_header parse_header(const std::filesystem::path& file, std::string_view text) {
  std::map<std::string, std::string> entries = header_parser(file, text).parse();
  if (entries.size() != 3 || !entries.contains("descr") || !entries.contains("fortran_order") ||
      !entries.contains("shape")) {
    throw npy_error(file, "bad .npy header: the keys descr, fortran_order and shape expected");
  }
  if (entries["fortran_order"] != "False") {
    throw npy_error(file, "C order expected (fortran_order False), not fortran_order " + entries["fortran_order"]);
  }
  return {entries["descr"], parse_shape(file, entries["shape"])};
}

std::size_t checked_count(const std::filesystem::path& file, const std::vector<std::size_t>& shape) {
  const char* what = shape.size() == 2 ? "matrix" : "tensor";
  std::size_t count = 1;
  for (const std::size_t extent : shape) {
    if (extent == 0) throw npy_error(file, std::string("the ") + what + " is empty");
    if (count > most_elements / extent) {
      throw npy_error(file, std::string("the ") + what + " has more than 2^30 elements");
    }
    count *= extent;
  }
  return count;
}

// The size is checked before the elements are allocated: a header alone must not take memory.
template <typename T>
std::vector<T> read_elements(const std::filesystem::path& file, std::istream& stream, std::size_t count) {
  static_assert(std::endian::native == std::endian::little);
  const std::streamoff start = stream.tellg();
  const std::streamoff end = stream.seekg(0, std::ios::end).tellg();
  const auto wanted = static_cast<std::streamoff>(count * sizeof(T));
  if (end - start != wanted) {
    throw npy_error(file, "holds " + std::to_string(end - start) + " bytes of elements, its shape asks for " +
                              std::to_string(wanted));
  }
  std::vector<T> values(count);
  stream.seekg(start);
  stream.read(reinterpret_cast<char*>(values.data()), wanted);
  if (stream.gcount() != wanted) throw npy_error(file, "cannot be read to its end");
  return values;
}

std::ifstream open_npy(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw npy_error(file, "cannot be opened");
  return stream;
}

/// Of types whose names end in their size: NumPy's texts and times do not.
std::size_t element_bytes(const std::filesystem::path& file, const std::string& dtype) {
  std::size_t bytes = 0;
  const bool known = dtype.size() > 2 && std::string_view("biufcV").contains(dtype[1]);
  const char* const end = dtype.data() + dtype.size();
  if (known && std::from_chars(dtype.data() + 2, end, bytes).ptr == end && bytes > 0 && bytes <= 64) return bytes;
  throw npy_error(file, "a dtype of a number expected, not '" + dtype + "'");
}

/// The shape and elements of a tensor of one dtype.
template <typename T>
tensor_of<T> read_tensor(const std::filesystem::path& file, const std::string& dtype, const char* name) {
  std::ifstream stream = open_npy(file);
  const npy_header header = parse_header(file, read_header(file, stream));
  if (header.dtype != dtype) {
    throw npy_error(file, std::string("dtype ") + name + " ('" + dtype + "') expected, not '" + header.dtype + "'");
  }
  if (header.shape.empty()) throw npy_error(file, "a tensor expected, not a single number");
  return {header.shape, read_elements<T>(file, stream, checked_count(file, header.shape))};
}

void write_elements(const std::filesystem::path& file, const std::string& dtype, const std::vector<std::size_t>& shape,
                    const void* elements, std::size_t bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::string extents;
  for (const std::size_t extent : shape) extents += std::to_string(extent) + ", ";
  if (shape.size() > 1) extents.resize(extents.size() - 2);
  std::string header = "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': (" + extents + "), }";
  const std::size_t prefix = magic.size() + 4;
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header += '\n';
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  if (!stream) throw npy_error(file, "cannot be created");
  stream << magic << '\x01' << '\0' << static_cast<char>(header.size() & 0xFF) << static_cast<char>(header.size() >> 8)
         << header;
  stream.write(static_cast<const char*>(elements), static_cast<std::streamsize>(bytes));
  stream.close();
  if (!stream) throw npy_error(file, "cannot be written");
}

}  // namespace

std::string npy_dtype(const std::filesystem::path& file) {
  std::ifstream stream = open_npy(file);
  return parse_header(file, read_header(file, stream)).dtype;
}

matrix<std::int8_t> read_npy_int8(const std::filesystem::path& file) {
  std::ifstream stream = open_npy(file);
  const npy_header header = parse_header(file, read_header(file, stream));
  if (header.dtype != "|i1") throw npy_error(file, "dtype int8 ('|i1') expected, not '" + header.dtype + "'");
  if (header.shape.size() != 2) {
    throw npy_error(file, "a matrix expected, not " + std::to_string(header.shape.size()) + " dimension(s)");
  }
  const std::size_t count = checked_count(file, header.shape);
  matrix<std::int8_t> values;
  values.rows = header.shape[0];
  values.cols = header.shape[1];
  values.data = read_elements<std::int8_t>(file, stream, count);
  return values;
}

tensor_of<std::int8_t> read_npy_int8_tensor(const std::filesystem::path& file) {
  return read_tensor<std::int8_t>(file, "|i1", "int8");
}

tensor read_npy_float(const std::filesystem::path& file) { return read_tensor<float>(file, "<f4", "float32"); }

raw_tensor read_npy_raw(const std::filesystem::path& file) {
  std::ifstream stream = open_npy(file);
  const npy_header header = parse_header(file, read_header(file, stream));
  if (header.shape.empty()) throw npy_error(file, "a tensor expected, not a single number");
  const std::size_t bytes = element_bytes(file, header.dtype);
  return {header.dtype, bytes, header.shape,
          read_elements<std::byte>(file, stream, checked_count(file, header.shape) * bytes)};
}

void write_npy(const std::filesystem::path& file, const matrix<std::int32_t>& values) {
  write_elements(file, "<i4", {values.rows, values.cols}, values.data.data(),
                 values.data.size() * sizeof(std::int32_t));
}

void write_npy(const std::filesystem::path& file, const tensor& values) {
  write_elements(file, "<f4", values.shape, values.data.data(), values.data.size() * sizeof(float));
}

void write_npy(const std::filesystem::path& file, const tensor_of<std::int8_t>& values) {
  write_elements(file, "|i1", values.shape, values.data.data(), values.data.size());
}

void write_npy(const std::filesystem::path& file, const tensor_of<std::int32_t>& values) {
  write_elements(file, "<i4", values.shape, values.data.data(), values.data.size() * sizeof(std::int32_t));
}

void write_npy(const std::filesystem::path& file, const raw_tensor& values) {
  write_elements(file, values.dtype, values.shape, values.data.data(), values.data.size());
}

}  // namespace examples
