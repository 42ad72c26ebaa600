import Glibc
import NIOSSL

/// Reads certificates and keys in PEM; blocks on the disk.
enum PEMFile {
    /// Far more than any chain has: a larger file is no file of certificates.
    private static let maximumBytes = 1 << 20

    /// - Parameters:
    ///   - path: The file.
    ///   - file: What it is, for errors.
    /// - Returns: At least one certificate, in the order of the file.
    /// - Throws: What is wrong with the file.
    static func certificates(in path: String, as file: TLSFault.File) throws(TLSFault) -> [NIOSSLCertificate] {
        let bytes = try content(of: path, as: file)
        guard let found = try? NIOSSLCertificate.fromPEMBytes(bytes), !found.isEmpty else {
            throw TLSFault(file: file, cause: .malformed)
        }
        return found
    }

    static func privateKey(in path: String, as file: TLSFault.File) throws(TLSFault) -> NIOSSLPrivateKey {
        let bytes = try content(of: path, as: file)
        if let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) { return key }
        // A word of the first line in PKCS#8, a header of its own in older formats (RFC 1421, section 4.6.1.1).
        let isEncrypted = String(decoding: bytes, as: UTF8.self).contains("ENCRYPTED")
        throw TLSFault(file: file, cause: isEncrypted ? .encrypted : .malformed)
    }

    private static func content(of path: String, as file: TLSFault.File) throws(TLSFault) -> [UInt8] {
        guard let stream = fopen(path, "re") else {
            throw TLSFault(file: file, cause: .unreadable(String(cString: strerror(errno))))
        }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        errno = 0
        let count = fread(&bytes, 1, bytes.count, stream)
        guard ferror(stream) == 0 else {
            throw TLSFault(file: file, cause: .unreadable(String(cString: strerror(errno))))
        }
        return Array(bytes[..<count])
    }
}
