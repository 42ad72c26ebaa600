import Downstream
import Settings

// Certificates are replaced while weir runs.

extension Server {
    /// The TLS of the public listeners; `nil` if they have none.
    static func makeTLS(_ configuration: Configuration) throws -> ServerTLS? {
        guard let settings = configuration.tls else { return nil }
        do throws(TLSFault) {
            return try ServerTLS(settings.files(offeringHTTP2: configuration.http2 != nil))
        } catch {
            throw BindError(description: settings.complaint(about: error, in: "").message)
        }
    }

    /// Reads the files of another configuration: new connections use them, open ones continue unchanged.
    ///
    /// Blocks on the disk.
    ///
    /// - Throws: The error in one of them; then nothing has changed.
    func reloadTLS(_ configuration: Configuration) throws(ReloadError) {
        guard let settings = configuration.tls, let tls else { return }
        do throws(TLSFault) {
            try tls.reload(settings.files(offeringHTTP2: configuration.http2 != nil))
        } catch {
            throw ReloadError(description: settings.complaint(about: error, in: "proxy.conf").message)
        }
    }
}
