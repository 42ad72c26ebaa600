import Flow
import NIOCore
import NIOSSL
import Redis
import Settings

/// Why the connection to the store cannot be prepared.
struct ReplicasError: Error, CustomStringConvertible {
    let description: String
}

extension ClientSettings {
    /// - Throws: ``ReplicasError`` if the file of the certificate authority cannot be used. Blocks on the disk.
    init(_ replicas: Configuration.Replicas) throws {
        if let master = replicas.master {
            self.init(
                servers: .sentinels(replicas.servers.map { ServerAddress($0, usualPort: 26379) }, master: master))
            sentinelCredentials = Credentials(replicas.sentinelCredentials)
        } else {
            self.init(servers: .server(ServerAddress(replicas.servers[0], usualPort: 6379)))
        }
        credentials = Credentials(replicas.credentials)
        database = replicas.servers[0].database
        if replicas.servers[0].usesTLS { tls = try Self.context(replicas.authority) }
        scripts = StoreScript.allCases.map { Script($0.lua) }
        channel = replicas.prefix + StoreKey.breakers.text
    }

    private static func context(_ authority: WrittenPath?) throws -> NIOSSLContext {
        var settings = TLSConfiguration.makeClientConfiguration()
        settings.minimumTLSVersion = .tlsv12
        // A server that has stopped answering does not agree to the end of its connection either.
        settings.shutdownTimeout = .seconds(1)
        do {
            if let authority { settings.trustRoots = .file(authority.path) }
            return try NIOSSLContext(configuration: settings)
        } catch {
            let written = authority?.written ?? "off"
            throw ReplicasError(description: "`replicas.ca_file` is \(written): it cannot be used: \(error)")
        }
    }
}

extension ClientSettings.Credentials {
    fileprivate init?(_ credentials: Configuration.Replicas.Credentials) {
        guard let password = credentials.password else { return nil }
        self.init(user: credentials.user, password: password.revealed)
    }
}

extension ServerAddress {
    fileprivate init(_ address: RedisAddress, usualPort: Int) {
        switch address.location {
        case .unix(let path): self = .unix(path: path)
        case .host(let host, let port): self = .host(host, port: port ?? usualPort)
        }
    }
}
