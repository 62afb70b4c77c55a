export { isStorableText, storableJson, storableText } from '../store/storable'
