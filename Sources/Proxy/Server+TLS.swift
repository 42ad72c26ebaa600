import Downstream
import Settings

// Certificates are replaced while weir runs.

extension Server {
    /// The TLS of the public listeners; `nil` where they have none.
    static func makeTLS(_ settings: Configuration.TLS?) throws -> ServerTLS? {
        do throws(TLSFault) {
            return try settings.map { settings throws(TLSFault) in try ServerTLS(settings.files) }
        } catch {
            throw BindError(description: settings?.complaint(about: error, in: "proxy.conf").message ?? "")
        }
    }

    /// Reads the files of another configuration: connections that come from now on get what is in them, open ones go on.
    ///
    /// Blocks on the disk.
    ///
    /// - Throws: What is wrong with one of them; then nothing has changed.
    func reloadTLS(_ settings: Configuration.TLS?) throws(ReloadError) {
        guard let settings, let tls else { return }
        do throws(TLSFault) {
            try tls.reload(settings.files)
        } catch {
            throw ReloadError(description: settings.complaint(about: error, in: "proxy.conf").message)
        }
    }
}
