/// Reads the `predictor.models` section.
enum ModelsReader {
    static func read(
        of predictor: Section,
        type: PredictorType?,
        processes: Int,
        _ context: ReadingContext
    ) -> ModelsSpec? {
        guard let section = predictor.section("models") else { return nil }
        context.require(.models, "models", of: predictor)
        let paths = section.sections("paths", allowsNull: true)
        let models = paths.map { Self.models($0, type: type) } ?? []
        let directory = Self.place("dir", of: section)
        let signatureKey = Self.signatureKey(of: section, type: type)
        let cacheSize = section.integer("cache_size", in: 1...Int.max)
        let diskCacheSize = section.integer("disk_cache_size", in: 1...Int.max)
        let cacheMemory = section.byteCount("cache_memory", minimum: .mebibytes(1))?.value
        section.finish()

        let hasPaths = paths.map { !$0.isEmpty } ?? false
        if hasPaths, section.has("dir") {
            section.fail("dir", "stands beside paths", allowed: "give one of the two")
        } else if !hasPaths, !section.has("dir") {
            predictor.fail("models", "names no model", allowed: "give paths or dir")
        }
        Self.checkCache(section, cacheSize, diskCacheSize, processes)
        return ModelsSpec(
            paths: models,
            directory: directory,
            signatureKey: signatureKey,
            cacheSize: cacheSize,
            diskCacheSize: diskCacheSize,
            cacheMemory: cacheMemory
        )
    }

    /// Where models are: the text with a `/` at its end; nil where it names no place, which is then told.
    static func place(_ key: String, of section: Section) -> String? {
        guard let text = section.text(key, allowed: Self.placeForm) else { return nil }
        do throws(ModelAddress.Flaw) {
            _ = try ModelAddress.parse(text)
        } catch {
            section.fail(key, error.message, allowed: error.allowed)
            return nil
        }
        return text.hasSuffix("/") ? text : text + "/"
    }

    private static let placeForm = "it must be a folder: s3://bucket/folder, or a path"

    private static func models(_ sections: [Section], type: PredictorType?) -> [NamedModelSpec] {
        var places: [String: SourcePosition] = [:]
        var models: [NamedModelSpec] = []
        for section in sections {
            let name = Self.name(of: section, places: &places)
            // Later versions call it path, and so does one page of the original's documentation.
            let key = section.has("path") && !section.has("model_path") ? "path" : "model_path"
            _ = section.entry("model_path")
            section.shape?.noteAlias("path", of: "model_path")
            if section.has("path"), section.has("model_path") {
                _ = section.entry("path")
                section.fail("path", "stands beside model_path", allowed: "give one of the two")
            }
            section.require(key, allowed: Self.placeForm)
            let path = Self.place(key, of: section)
            let signatureKey = Self.signatureKey(of: section, type: type)
            section.finish()
            if let name, let path {
                models.append(NamedModelSpec(name: name, modelPath: path, signatureKey: signatureKey))
            }
        }
        return models
    }

    private static func name(of section: Section, places: inout [String: SourcePosition]) -> String? {
        let allowed = "letters, digits, - and _"
        section.require("name", allowed: allowed)
        guard let name = section.text("name", allowed: allowed) else { return nil }
        let isLegal = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D
                || byte == 0x5F
        }
        if !isLegal {
            section.fail("name", "\(name.quoted) is not a model's name", allowed: allowed)
        } else if name == "_cortex_default" {
            section.fail("name", "_cortex_default is kept for the model of model_path", allowed: "choose another name")
        } else if let first = places[name] {
            section.fail(
                "name",
                "the name is taken by the model at \(first)",
                allowed: "every model needs a name of its own"
            )
        } else {
            places[name] = section.position(of: "name")
            return name
        }
        return nil
    }

    private static func signatureKey(of section: Section, type: PredictorType?) -> String? {
        let key = section.text("signature_key")
        if section.has("signature_key"), let type, type != .tensorflow {
            section.fail("signature_key", "is of type tensorflow only", allowed: "remove the key")
        }
        return key
    }

    private static func checkCache(_ section: Section, _ cacheSize: Int?, _ diskCacheSize: Int?, _ processes: Int) {
        if section.has("cache_memory"), section.has("cache_size") {
            section.fail("cache_memory", "stands beside cache_size", allowed: "give one of the two")
        }
        for (key, other) in [("cache_size", "disk_cache_size"), ("disk_cache_size", "cache_size")]
        where section.has(key) && !section.has(other) && !(other == "cache_size" && section.has("cache_memory")) {
            section.fail(key, "stands without \(other)", allowed: "give both or neither")
        }
        if let cacheSize, let diskCacheSize, cacheSize > diskCacheSize {
            section.fail(
                "cache_size",
                "is \(cacheSize), over disk_cache_size \(diskCacheSize)",
                allowed: "at most disk_cache_size"
            )
        }
        let isCached = section.has("cache_size") || section.has("cache_memory")
        if isCached, processes != 1 {
            let key = section.has("cache_size") ? "cache_size" : "cache_memory"
            section.fail(
                key,
                "stands beside processes_per_replica \(processes)",
                allowed: "a cache needs processes_per_replica: 1"
            )
        }
    }
}
