// Colour is decided from the environment; golden outputs need it decided the same way everywhere.
process.env['NO_COLOR'] = '1'
delete process.env['FORCE_COLOR']
