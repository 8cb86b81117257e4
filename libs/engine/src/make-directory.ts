export { makeDirectory } from '@tutti/service';
