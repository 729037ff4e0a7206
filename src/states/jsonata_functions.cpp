#include "states/jsonata_functions.h"

#include <bit>
#include <cstdio>

#include "states/digest.h"
#include "states/duktape_options.h"
#include "states/script_values.h"

#include <duktape.h>

namespace etl::states {
namespace {

JsonataHost& host_of(duk_context* context) {
  duk_push_global_stash(context);
  duk_get_prop_string(context, -1, "host");
  JsonataHost* host = static_cast<JsonataHost*>(duk_get_pointer(context, -1));
  duk_pop_2(context);
  return *host;
}

duk_ret_t hash(duk_context* context) {
  JsonataHost& host = host_of(context);
  bool known = false;
  {
    const std::optional<std::string> digits = digest(take_text(context, 1), take_text(context, 0));
    known = digits.has_value();
    if (known) host.text = *digits;
  }
  if (!known) return 0;
  push_text(context, host.text);
  return 1;
}

// Spreads a seed over 64 bits, so that near seeds give far numbers.
uint64_t mixed(uint64_t bits) {
  bits += 0x9e3779b97f4a7c15;
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
  return bits ^ bits >> 31;
}

duk_ret_t random(duk_context* context) {
  JsonataHost& host = host_of(context);
  const double seed = duk_get_number_default(context, 0, 0);
  const uint64_t bits = duk_is_number(context, 0) ? mixed(std::bit_cast<uint64_t>(seed)) : host.entropy->next();
  duk_push_number(context, static_cast<double>(bits >> 11) * 0x1p-53);
  return 1;
}

duk_ret_t uuid(duk_context* context) {
  JsonataHost& host = host_of(context);
  const uint64_t high = (host.entropy->next() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (host.entropy->next() & ~(uint64_t{0xc0} << 56)) | uint64_t{0x80} << 56;
  char text[37];
  snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
           static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xffff),
           static_cast<unsigned>(low >> 48), static_cast<unsigned long long>(low & 0xffffffffffff));
  duk_push_string(context, text);
  return 1;
}

// Characters are bytes here: those above U+00FF are refused.
duk_ret_t to_base64(duk_context* context) {
  const duk_size_t length = duk_get_length(context, 0);
  auto* bytes = static_cast<unsigned char*>(duk_push_fixed_buffer(context, length));
  for (duk_size_t i = 0; i < length; ++i) {
    const duk_codepoint_t c = duk_char_code_at(context, 0, i);
    if (c > 0xff) return duk_error(context, DUK_ERR_RANGE_ERROR, "a character is no byte: it is above U+00FF");
    bytes[i] = static_cast<unsigned char>(c);
  }
  duk_base64_encode(context, -1);
  return 1;
}

duk_ret_t from_base64(duk_context* context) {
  duk_dup(context, 0);
  duk_base64_decode(context, -1);
  duk_size_t size = 0;
  const auto* bytes = static_cast<const unsigned char*>(duk_require_buffer_data(context, -1, &size));
  JsonataHost& host = host_of(context);
  host.text.clear();
  for (duk_size_t i = 0; i < size; ++i) {
    if (bytes[i] >= 0x80) {
      host.text += static_cast<char>(0xc0 | bytes[i] >> 6);
      host.text += static_cast<char>(0x80 | (bytes[i] & 0x3f));
    } else {
      host.text += static_cast<char>(bytes[i]);
    }
  }
  push_text(context, host.text);
  return 1;
}

bool is_half(const char* text, size_t at, size_t size, unsigned char first) {
  return at + 3 <= size && static_cast<unsigned char>(text[at]) == 0xed &&
         (static_cast<unsigned char>(text[at + 1]) & 0xf0) == first;
}

// The characters of a text as an array: the two halves of a pair are one.
duk_ret_t characters(duk_context* context) {
  duk_size_t size = 0;
  const char* text = duk_require_lstring(context, 0, &size);
  duk_push_array(context);
  duk_uarridx_t count = 0;
  for (size_t at = 0; at < size;) {
    size_t next = at + 1;
    while (next < size && (static_cast<unsigned char>(text[next]) & 0xc0) == 0x80) ++next;
    if (is_half(text, at, size, 0xa0) && is_half(text, next, size, 0xb0)) next += 3;
    duk_push_lstring(context, text + at, next - at);
    duk_put_prop_index(context, -2, count++);
    at = next;
  }
  return 1;
}

// An array that is a sequence, of the one value or none: JSONata takes one item for itself, and none for nothing.
duk_ret_t sequence(duk_context* context) {
  const bool has_value = duk_get_top(context) == 1;
  duk_push_array(context);
  duk_push_true(context);
  duk_put_prop_string(context, -2, "sequence");
  if (has_value) {
    duk_dup(context, 0);
    duk_put_prop_index(context, -2, 0);
  }
  return 1;
}

void put_function(duk_context* context, const char* name, duk_c_function function, duk_idx_t arguments) {
  duk_push_c_function(context, function, arguments);
  duk_put_prop_string(context, -2, name);
}

}  // namespace

void push_host(duk_hthread* context, JsonataHost& host) {
  duk_push_global_stash(context);
  duk_push_pointer(context, &host);
  duk_put_prop_string(context, -2, "host");
  duk_pop(context);
  duk_push_object(context);
  put_function(context, "hash", hash, 2);
  put_function(context, "random", random, 1);
  put_function(context, "uuid", uuid, 0);
  put_function(context, "characters", characters, 1);
  put_function(context, "sequence", sequence, DUK_VARARGS);
  put_function(context, "to_base64", to_base64, 1);
  put_function(context, "from_base64", from_base64, 1);
}

}  // namespace etl::states
