import Flow

// TLS of the public listeners. The content of the files is not checked here: that takes a TLS library and the disk.

extension Schema {
    /// The keys of an item of `listen` that is a mapping.
    static var listenerKeys: [Key<PublicListener>] {
        [
            Key("address", .listenAddress, \.address).required,
            Key("tls", .flag, \.usesTLS).written { $0.redirect == nil },
            Key("redirect", .redirect, \.redirect).written { $0.redirect != nil },
        ]
    }

    /// An address alone if that is enough.
    static func text(of listener: PublicListener) -> YAMLText {
        listener.usesTLS ? .scalar(Form.listenAddress.text(listener.address)) : .mapping(of: listener, by: listenerKeys)
    }

    /// An address, or a mapping; `nil` after an error was reported.
    static func listener(_ item: Setting) -> PublicListener? {
        guard item.isMapping else {
            return item.value(.listenAddress, or: Setting.mapping(of: listenerKeys)).map { PublicListener($0) }
        }
        let errors = item.reading.errors.count
        var listener = PublicListener(.ip(host: "", port: 0))
        item.read(listenerKeys, into: &listener)
        if listener.redirect != nil {
            if listener.usesTLS, let tls = item["tls"] {
                tls.report("is \(tls.description); allowed: without `redirect`")
            }
            listener.usesTLS = false
        }
        return errors == item.reading.errors.count ? listener : nil
    }

    /// Reports keys of `listen` that require `tls`, and `tls` without an address that uses it, if there is no other error.
    static func checkTLS(of configuration: Configuration, in setting: Setting) {
        guard setting.reading.errors.isEmpty, let written = setting["listen"] else { return }
        guard configuration.tls == nil else {
            if !configuration.listen.contains(where: \.usesTLS) {
                setting["tls"]?.report("has no effect: no address of `listen` has TLS; allowed: with one that has")
            }
            return
        }
        for item in written.items {
            for key in [item["tls"], item["redirect"]] where key?.isOff == false {
                key?.report("has no effect here; allowed: with `tls` at the top level")
            }
        }
    }

    /// The keys of an item of `certificates`.
    static var certificateKeys: [Key<Configuration.TLS.Certificate>] {
        [Key(file: "certificate", \.certificate).required, Key(file: "key", \.key).required]
    }

    private static var certificates: Key<Configuration.TLS> {
        Key(
            name: "certificates", .list(of: .mapping(of: certificateKeys)),
            write: { tls in
                YAMLText.list(tls.certificates.map { .mapping(of: $0, by: certificateKeys) }).unlessEmpty
            }
        ) { setting, tls in
            for item in setting.items {
                var pair = Configuration.TLS.Certificate.blank
                item.read(certificateKeys, into: &pair)
                tls.certificates.append(pair)
            }
        }
    }

    static var tlsKeys: [Key<Configuration.TLS>] {
        [
            Key(file: "certificate", \.certificate).required,
            Key(file: "key", \.key).required,
            certificates,
            Key(fileOrOff: "client_ca", \.clientAuthority),
            Key("client_certificates", .word(), \.clientCertificates).written { $0.clientAuthority != nil },
            Key("minimum_version", .word(), \.minimumVersion),
        ]
    }

    static var tls: Key<Configuration> {
        Key("tls", wholeOrOff: tlsKeys, \.tls, from: .blank) { tls, setting in
            var seen: Set<String> = [tls.certificate.path]
            for (pair, item) in zip(tls.certificates, setting["certificates"]?.items ?? [])
            where !seen.insert(pair.certificate.path).inserted {
                item["certificate"]?.report("is \(pair.certificate.written): it is listed twice")
            }
            if tls.clientAuthority == nil, let written = setting["client_certificates"] {
                written.report("has no effect here; allowed: with `client_ca`")
            }
        }
    }

    /// Reports routes that identify clients by certificates that weir does not request, if there is no other error.
    static func checkClientKeys(of configuration: Configuration, in setting: Setting) {
        guard setting.reading.errors.isEmpty, configuration.tls?.clientAuthority == nil,
            let items = setting["routes"]?.items
        else { return }
        for (route, item) in zip(configuration.routes, items) where route.clientKey == .certificate {
            item["client_key"]?.report(
                "is `certificate`, and client certificates are not requested; allowed: with `tls.client_ca`")
        }
    }

}

extension Key {
    /// A key whose value is the path of a file.
    init(file name: String, _ property: WritableKeyPath<Target, WrittenPath>) {
        self.init(
            name: name, Form.filePath.shape, write: { .scalar($0[keyPath: property].path) }
        ) { setting, target in
            if let path = setting.value(.filePath) { target[keyPath: property] = WrittenPath(path, at: setting) }
        }
    }

    /// A key whose value is the path of a file, or a word that disables its part.
    init(fileOrOff name: String, _ property: WritableKeyPath<Target, WrittenPath?>) {
        let form = Form.filePath.or(Off.words)
        self.init(
            name: name, form.shape, write: { .scalar(form.text($0[keyPath: property]?.path)) }
        ) { setting, target in
            guard let path = setting.value(form) else { return }
            target[keyPath: property] = path.map { WrittenPath($0, at: setting) }
        }
    }
}

extension WrittenPath {
    /// A path as a value of the file.
    init(_ path: String, at setting: Setting) {
        let position = setting.position
        self.init(path: path, written: setting.description, line: position.line, column: position.column)
    }
}

extension Configuration.TLS.Certificate {
    /// The initial value; both files are required, so an error was reported if one of these remains.
    fileprivate static var blank: Configuration.TLS.Certificate {
        let nowhere = WrittenPath(path: "", written: "", line: 1, column: 1)
        return Configuration.TLS.Certificate(certificate: nowhere, key: nowhere)
    }
}

extension Configuration.TLS {
    /// The initial value; both files are required, so an error was reported if one of these remains.
    fileprivate static var blank: Configuration.TLS {
        let nowhere = WrittenPath(path: "", written: "", line: 1, column: 1)
        return Configuration.TLS(certificate: nowhere, key: nowhere)
    }
}
