// SHA-256, by the server's own code.
#pragma once

#include "pg/error.h"

struct pg_cryptohash_ctx;

namespace etl::pg {

class Sha256 {
 public:
  Sha256();  // needs a transaction
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(std::string_view piece);
  std::string hex();  // of all that was added; once

 private:
  void require(bool done) const;

  pg_cryptohash_ctx* context_;
};

}  // namespace etl::pg
