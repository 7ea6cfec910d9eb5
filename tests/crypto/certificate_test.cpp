// Certificates that TLS may and may not show us.
#include "crypto/certificate.h"

#include "tests/crypto/seeded_random.h"
#include "tests/crypto/vectors.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace chapterd {
namespace {

template <auto F>
struct Free {
  template <class T>
  void operator()(T* object) const {
    F(object);
  }
};

using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

SigningKey a_key() {
  SeededRandom random(1);
  return SigningKey::generate(random);
}

Bytes a_certificate() {
  return self_signed_certificate(a_key()).value();
}

Certificate parsed(const Bytes& der) {
  const std::uint8_t* position = der.data();
  return Certificate(d2i_X509(nullptr, &position, static_cast<long>(der.size())));
}

std::string name_of(const X509_NAME* name) {
  char text[100];
  return X509_NAME_oneline(name, text, sizeof text);
}

// A certificate that OpenSSL makes by itself.
Bytes certificate_for(EVP_PKEY* key, const EVP_MD* digest) {
  const Certificate certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 1);
  X509_set_pubkey(certificate.get(), key);
  EXPECT_GT(X509_sign(certificate.get(), key, digest), 0);
  Bytes der(static_cast<std::size_t>(i2d_X509(certificate.get(), nullptr)));
  std::uint8_t* out = der.data();
  i2d_X509(certificate.get(), &out);
  return der;
}

std::string code_of(const Result<PublicKey>& result) {
  return result ? "accepted" : result.error().code;
}

TEST(Certificate, CarriesTheKeyItWasMadeFor) {
  const auto key = certificate_key(a_certificate());
  ASSERT_TRUE(key) << key.error().what;
  EXPECT_EQ(*key, a_key().public_key());
}

TEST(Certificate, OfOneKeyIsAlwaysTheSame) {
  EXPECT_EQ(a_certificate(), a_certificate());
}

TEST(Certificate, IsSmall) {
  EXPECT_LE(a_certificate().size(), 220U);
}

TEST(Certificate, IsSignedByItsOwnKeyAsOpenSslSeesIt) {
  const Certificate certificate = parsed(a_certificate());
  ASSERT_TRUE(certificate);
  EXPECT_EQ(X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())), 1);
  EXPECT_EQ(X509_self_signed(certificate.get(), 1), 1);
}

TEST(Certificate, FitsTheKeyThatOpenSslMakesFromTheSeed) {
  const SigningKey key = a_key();
  const Key secret(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.seed().data(),
                                                key.seed().size()));
  ASSERT_TRUE(secret);
  EXPECT_EQ(X509_check_private_key(parsed(a_certificate()).get(), secret.get()), 1);
}

TEST(Certificate, SaysAsLittleAsPossible) {
  const Certificate certificate = parsed(a_certificate());
  ASSERT_TRUE(certificate);
  EXPECT_EQ(X509_get_version(certificate.get()), X509_VERSION_3);
  EXPECT_EQ(ASN1_INTEGER_get(X509_get0_serialNumber(certificate.get())), 1);
  EXPECT_EQ(name_of(X509_get_subject_name(certificate.get())), "/CN=chapterd");
  EXPECT_EQ(name_of(X509_get_issuer_name(certificate.get())), "/CN=chapterd");
  EXPECT_EQ(X509_get_ext_count(certificate.get()), 0);
}

TEST(Certificate, IsValidFromTheBeginningOfTimeToItsEnd) {
  const Certificate certificate = parsed(a_certificate());
  ASSERT_TRUE(certificate);
  EXPECT_EQ(ASN1_TIME_cmp_time_t(X509_get0_notBefore(certificate.get()), 0), 0);
  EXPECT_EQ(ASN1_TIME_cmp_time_t(X509_get0_notAfter(certificate.get()), 253402300799), 0);
}

TEST(Certificate, CutShortAnywhereIsMalformed) {
  const Bytes der = a_certificate();
  for (std::size_t length = 0; length < der.size(); ++length) {
    EXPECT_EQ(code_of(certificate_key(ByteView(der).first(length))), "certificate.malformed")
        << length;
  }
}

TEST(Certificate, WithBytesBehindItIsMalformed) {
  Bytes der = a_certificate();
  der.push_back(0);
  EXPECT_EQ(code_of(certificate_key(der)), "certificate.malformed");
  append(der, a_certificate());
  EXPECT_EQ(code_of(certificate_key(der)), "certificate.malformed");
}

TEST(Certificate, LargerThanFourKibibytesIsNotLookedAt) {
  Bytes der = a_certificate();
  der.resize(most_certificate_bytes);
  EXPECT_EQ(code_of(certificate_key(der)), "certificate.malformed");
  der.resize(most_certificate_bytes + 1);
  EXPECT_EQ(code_of(certificate_key(der)), "certificate.too-big");
}

TEST(Certificate, WithAnyBitChangedGivesNoKeyThatIsNotInIt) {
  const Bytes whole = a_certificate();
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes der = whole;
    der[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto key = certificate_key(der);
    const bool in_it = key && to_hex(der).find(to_hex(key->view())) != std::string::npos;
    EXPECT_EQ(key.has_value(), in_it) << "bit " << bit;
  }
}

TEST(Certificate, OfRsaIsRefused) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
  EXPECT_EQ(code_of(certificate_key(certificate_for(key.get(), EVP_sha256()))),
            "certificate.not-ed25519");
}

TEST(Certificate, OfP256IsRefused) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  EXPECT_EQ(code_of(certificate_key(certificate_for(key.get(), EVP_sha256()))),
            "certificate.not-ed25519");
}

TEST(Certificate, OfEd448IsRefused) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"));
  EXPECT_EQ(code_of(certificate_key(certificate_for(key.get(), nullptr))),
            "certificate.not-ed25519");
}

TEST(Certificate, ThatOpenSslMadeForAnEd25519KeyIsAccepted) {
  const SigningKey key = a_key();
  const Key secret(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.seed().data(),
                                                key.seed().size()));
  const auto found = certificate_key(certificate_for(secret.get(), nullptr));
  ASSERT_TRUE(found) << found.error().what;
  EXPECT_EQ(*found, key.public_key());
}

}  // namespace
}  // namespace chapterd
