extension APISpec {
    /// The places that models are taken from, as the user wrote them.
    package var modelPlaces: [String] {
        let models = self.predictor.models
        return [self.predictor.modelPath, models?.directory].compactMap(\.self) + (models?.paths ?? []).map(\.modelPath)
    }

    /// Whether models are looked for in the project's folder.
    package var hasRelativeModels: Bool {
        self.modelPlaces.contains { place in
            guard case .path(let path)? = try? ModelAddress.parse(place) else { return false }
            return !path.hasPrefix("/") && !path.hasPrefix("~")
        }
    }

    /// Whether some of them are in a store.
    package var hasRemoteModels: Bool {
        self.modelPlaces.contains { place in
            guard case .url? = try? ModelAddress.parse(place) else { return false }
            return true
        }
    }
}
