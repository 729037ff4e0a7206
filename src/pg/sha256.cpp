#include "pg/sha256.h"

#include "pg/guard.h"

extern "C" {
#include "common/cryptohash.h"
#include "common/sha2.h"
}

namespace etl::pg {

Sha256::Sha256() : context_(guard([] { return pg_cryptohash_create(PG_SHA256); })) {
  require(context_ != nullptr && pg_cryptohash_init(context_) == 0);
}

Sha256::~Sha256() {
  pg_cryptohash_free(context_);
}

void Sha256::require(bool done) const {
  if (!done)
    throw Failure(ERRCODE_INTERNAL_ERROR,
                  format("could not compute a hash: %s", context_ == nullptr ? "" : pg_cryptohash_error(context_)));
}

void Sha256::add(std::string_view piece) {
  require(pg_cryptohash_update(context_, reinterpret_cast<const uint8*>(piece.data()), piece.size()) == 0);
}

std::string Sha256::hex() {
  std::array<uint8, PG_SHA256_DIGEST_LENGTH> digest;
  require(pg_cryptohash_final(context_, digest.data(), digest.size()) == 0);
  std::string text;
  for (const uint8 byte : digest) text += format("%02x", byte);
  return text;
}

}  // namespace etl::pg
