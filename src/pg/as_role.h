// Acting in another role's name, in a process of ours that is a superuser's.
#pragma once

#include "pg/error.h"

namespace etl::pg {

// For the life of this object the current user is `role`. Nothing that a user defined may run meanwhile: this is no
// sandbox.
class AsRole {
 public:
  explicit AsRole(Oid role) {
    GetUserIdAndSecContext(&user_, &security_context_);
    SetUserIdAndSecContext(role, security_context_ | SECURITY_LOCAL_USERID_CHANGE);
  }
  ~AsRole() { SetUserIdAndSecContext(user_, security_context_); }
  AsRole(const AsRole&) = delete;
  AsRole& operator=(const AsRole&) = delete;

 private:
  Oid user_ = InvalidOid;
  int security_context_ = 0;
};

}  // namespace etl::pg
