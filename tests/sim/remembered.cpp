// Whether a signature is right is a pure function, asked again at every restart of every machine:
// three quarters of a simulation's processor time. What was found once is remembered, by all of its
// input.
#include "crypto/signature.h"

#include <string>
#include <unordered_map>

#define CHAPTERD_VERIFY                                       \
  "_ZN8chapterd6verifyERKNS_5FixedILm32ENS_"                  \
  "12PublicKeyTagEEESt4spanIKhLm18446744073709551615EERKNS0_" \
  "ILm64ENS_12SignatureTagEEE"

namespace chapterd::sim {

bool real_verify_signature(const PublicKey&,
                           ByteView,
                           const Signature&) asm("__real_" CHAPTERD_VERIFY);
bool our_verify_signature(const PublicKey&,
                          ByteView,
                          const Signature&) asm("__wrap_" CHAPTERD_VERIFY);

bool our_verify_signature(const PublicKey& key, ByteView message, const Signature& signature) {
  constexpr std::size_t most = 100000;
  static std::unordered_map<std::string, bool> found;
  if (found.size() > most) found.clear();
  std::string question;
  question.reserve(key.bytes.size() + signature.bytes.size() + message.size());
  question.append(key.bytes.begin(), key.bytes.end());
  question.append(signature.bytes.begin(), signature.bytes.end());
  question.append(message.begin(), message.end());
  const auto [at, is_new] = found.try_emplace(std::move(question), false);
  if (is_new) at->second = real_verify_signature(key, message, signature);
  return at->second;
}

}  // namespace chapterd::sim
