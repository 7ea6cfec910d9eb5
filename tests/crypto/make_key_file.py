#!/usr/bin/env python3
"""Makes the two key files in key_file_test.cpp from the layout in crypto/key_file.h alone."""
import ctypes
import ctypes.util
import hashlib

sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
assert sodium.sodium_init() >= 0


def blake2b(label: bytes, message: bytes) -> bytes:
    return hashlib.blake2b(label + b"\0" + message, digest_size=32).digest()


def argon2id(passphrase: bytes, salt: bytes, memory_kib: int, passes: int) -> bytes:
    out = ctypes.create_string_buffer(32)
    assert sodium.crypto_pwhash_argon2id(
        out, ctypes.c_ulonglong(32), passphrase, ctypes.c_ulonglong(len(passphrase)), salt,
        ctypes.c_ulonglong(passes), ctypes.c_size_t(memory_kib * 1024), 2) == 0
    return out.raw


def key_file(purpose: int, protection: int, cost: tuple[int, int], secret: bytes) -> bytes:
    salt, nonce, seed = bytes(range(16)), bytes(range(100, 124)), bytes(range(200, 232))
    memory_kib, passes = cost
    header = (b"CHPTRKEY" + bytes([1, purpose, protection]) + memory_kib.to_bytes(4, "big")
              + passes.to_bytes(4, "big") + salt + nonce)
    if protection == 1:
        key = blake2b(b"chapterd/key-file-machine/1", salt + secret)
    else:
        key = argon2id(secret, salt, memory_kib, passes)
    sealed = ctypes.create_string_buffer(48)
    sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        sealed, None, seed, ctypes.c_ulonglong(32), header, ctypes.c_ulonglong(len(header)), None,
        nonce, key)
    body = header + sealed.raw
    return body + blake2b(b"chapterd/key-file-check/1", body)[:8]


print("machine   ", key_file(1, 1, (0, 0), bytes(range(32))).hex())
print("passphrase", key_file(2, 2, (8, 1), b"correct horse").hex())
